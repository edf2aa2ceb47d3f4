import type { Neutron, PortInfo } from "../../clients/neutron/ports.js";
import type { Ctx } from "../../kernel/ctx.js";
import { CommonErrors } from "../../kernel/errors.js";

const SWEEPS = 4;

/**
 * Lets go of every port that carries the server's id: deletes those we made, unbinds the others. Neutron
 * cannot be fenced, so it looks again until it finds none: a creation that was under way may have ended
 * meanwhile.
 * @throws UNAVAILABLE when ports keep coming; whoever calls repeats it later
 */
export async function releasePorts(
  ctx: Ctx,
  neutron: Neutron,
  serverId: string,
  isOurs: (port: PortInfo) => boolean,
): Promise<void> {
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const found = await neutron.listPorts(ctx, { deviceIds: [serverId] });
    if (found.length === 0) return;
    await Promise.all(
      found.map((port) => (isOurs(port) ? neutron.deletePort(ctx, port.id) : unbind(ctx, neutron, port.id))),
    );
  }
  throw CommonErrors.UNAVAILABLE({ what: "The network" });
}

/** Frees a port that its user has made. */
export async function unbind(ctx: Ctx, neutron: Neutron, portId: string): Promise<void> {
  await neutron.updatePort(ctx, portId, { deviceId: "", deviceOwner: "", bindingHostId: "" });
}
