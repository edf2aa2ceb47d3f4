import { z } from "zod";
import type { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { FloatingIpInfo } from "../../clients/neutron/ports.js";
import { mapLimit } from "../../kernel/index.js";
import { instancePort } from "../domain/ports.js";
import { done, fail } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { ownerIn } from "./allocate-networks.js";
import type { NetworkPorts } from "./allocate-networks.js";
import { claimedHost } from "./destinations.js";
import { nowhere, unbindPorts } from "./leave-host.js";
import { floatingIpsOf } from "./read-ports.js";
import { isMissing } from "./volume-devices.js";

const PORTS_AT_ONCE = 8;

/** In which zone the server was before. */
const placedPorts = outputOf("place-ports", z.object({ zone: z.string() }));

/**
 * Binds all ports that a server has to the claimed host, which is the server's from now on. Ports that were
 * deleted meanwhile, or given to somebody else, are the server's no more.
 */
export const placePorts = <I>(ports: NetworkPorts & Pick<Ports, "neutron">): Step<I> => ({
  name: placedPorts.step,
  unfenced: true,
  event: "",
  timeoutMs: 300_000,

  async run(call) {
    const { host } = call.outputs.get(claimedHost);
    const bound = await boundTo(call, ports, { host: host.host, zone: host.zone });
    const refused = bound.find(isRefused);
    if (refused !== undefined)
      return fail(ConductorErrors.PORT_BINDING_FAILED({ port: refused.portId }), {
        backTo: claimedHost.step,
        host: host.host,
      });
    const { hostInfo, availabilityZone: zone } = call.server;
    return done(
      { zone },
      {
        ports: bound,
        set: {
          hostInfo: { ...hostInfo, host: host.host, node: host.node, computeNodeUuid: host.computeNodeId },
          availabilityZone: host.zone,
        },
      },
    );
  },

  async undo(call): Promise<Change> {
    const putPorts = await unbindPorts(call, ports);
    const before = call.outputs.find(placedPorts);
    return {
      putPorts,
      set: {
        hostInfo: nowhere(call.server.hostInfo),
        ...(before === undefined ? {} : { availabilityZone: before.zone }),
      },
    };
  },
});

/** A host to which ports are bound, and the zone that they show. */
export interface BoundAt {
  readonly host: string;
  readonly zone: string;
}

/** Whether the Network service cannot bind a port to the host that it was told. */
export const isRefused = ({ vifType }: InstancePort): boolean => vifType === "binding_failed";

/**
 * Binds the ports that a server has. Repeatable.
 * @returns them as their host needs them; not those that are gone, or somebody else's by now
 */
export async function boundTo(
  call: StepCall<unknown>,
  ports: NetworkPorts,
  at: BoundAt,
): Promise<InstancePort[]> {
  const ids = call.instance.ports.map(({ portId }) => portId);
  const floatingIps = ids.length === 0 ? [] : await floatingIpsOf(ports.neutron, call.ctx, ids);
  const bound = await mapLimit(call.instance.ports, PORTS_AT_ONCE, (port) =>
    bind(call, ports, port, at, floatingIps),
  );
  return bound.flat();
}

async function bind(
  call: StepCall<unknown>,
  { neutron, factsOf }: NetworkPorts,
  before: InstancePort,
  { host: bindingHostId, zone }: BoundAt,
  floatingIps: readonly FloatingIpInfo[],
): Promise<InstancePort[]> {
  try {
    const { deviceId } = await neutron.getPort(call.ctx, before.portId);
    if (deviceId !== call.server.id) return [];
    const port = await neutron.updatePort(call.ctx, before.portId, {
      bindingHostId,
      deviceOwner: ownerIn(zone),
    });
    return [instancePort(port, await factsOf(call.ctx, port.networkId), before, floatingIps)];
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
