import type { Neutron, PortInfo } from "../../clients/neutron/ports.js";
import type { Ctx } from "../../kernel/ctx.js";
import { untilNoneLeft } from "./look-again.js";

/**
 * Lets go of every port that carries the server's id: deletes those we made, unbinds the others.
 * @throws UNAVAILABLE when ports keep coming; whoever calls repeats it later
 */
export async function releasePorts(
  ctx: Ctx,
  neutron: Neutron,
  serverId: string,
  isOurs: (port: PortInfo) => boolean,
): Promise<void> {
  const letGo = (port: PortInfo): Promise<unknown> =>
    isOurs(port) ? neutron.deletePort(ctx, port.id) : unbind(ctx, neutron, port.id);
  await untilNoneLeft(
    "The network",
    () => neutron.listPorts(ctx, { deviceIds: [serverId] }),
    (found) => Promise.all(found.map(letGo)),
  );
}

/** Frees a port that its user has made. */
export async function unbind(ctx: Ctx, neutron: Neutron, portId: string): Promise<void> {
  await neutron.updatePort(ctx, portId, { deviceId: "", deviceOwner: "", bindingHostId: "" });
}
