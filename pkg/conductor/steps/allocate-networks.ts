import type { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import type { RequestedNetwork } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Neutron, PortInfo } from "../../clients/neutron/ports.js";
import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import { orNone } from "../../model/presence.js";
import { parseOperationName } from "../../model/operation-name.js";
import { instancePort, isMadeBy, portName } from "../domain/ports.js";
import type { NetworkFacts } from "../domain/ports.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import { claimedHost } from "./destinations.js";
import { makePort } from "./make-port.js";
import { releasePorts } from "./release-ports.js";

export interface NetworkPorts {
  readonly neutron: Neutron;
  readonly factsOf: (ctx: Ctx, networkId: string) => Promise<NetworkFacts>;
}

/**
 * Makes or takes over a port for each interface asked for, bound to the claimed host. Ports carry the
 * server's id and a name made of the operation's, so that a repeated start finds them and an undo misses
 * none.
 */
export const allocateNetworks = (ports: NetworkPorts): Step => ({
  name: "allocate-networks",
  unfenced: true,
  event: "conductor_allocate_networks",
  taskState: "networking",
  timeoutMs: 300_000,

  async run(call) {
    const { host } = call.outputs.get(claimedHost);
    const wanted = call.instance.spec?.networks ?? [];
    const present =
      call.firstStart || wanted.length === 0
        ? []
        : await ports.neutron.listPorts(call.ctx, { deviceIds: [call.server.id] });
    try {
      const bound = await allEnded(
        wanted.map((one, index) => bind(call, ports, one, index, present, host.host)),
      );
      return done(
        { ports: bound.map(({ portId }) => portId) },
        { ports: bound, set: { hostInfo: hostInfo(call, host) } },
      );
    } catch (error) {
      if (!(error instanceof KilonovaError) || error.reason !== "PORT_BINDING_FAILED") throw error;
      return fail(error, { backTo: claimedHost.step, host: host.host });
    }
  },

  async undo(call) {
    const operationId = parseOperationName(call.operation.name)?.operationId ?? "";
    await releasePorts(call.ctx, ports.neutron, call.server.id, (port) => isMadeBy(port, operationId));
    const { hostInfo: info } = call.server;
    return {
      ports: [],
      ...(info === undefined ? {} : { set: { hostInfo: { ...info, ...NOWHERE } } }),
    };
  },
});

/**
 * Their results, or the first error, but not before all of them have ended: an undo would miss what is still
 * being made.
 */
async function allEnded<T>(attempts: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(attempts);
  return Promise.all(attempts);
}

const NOWHERE = { host: undefined, node: undefined, computeNodeUuid: undefined, launchedOn: undefined };

const hostInfo = (
  { server }: StepCall,
  host: { host: string; node: string; computeNodeId: string },
): ServerHostInfo => ({
  ...server.hostInfo,
  host: host.host,
  node: host.node,
  computeNodeUuid: host.computeNodeId,
  launchedOn: host.host,
  rootDeviceName: orNone(server.hostInfo?.rootDeviceName) ?? "/dev/vda",
});

async function bind(
  call: StepCall,
  ports: NetworkPorts,
  wanted: RequestedNetwork,
  index: number,
  present: readonly PortInfo[],
  host: string,
): Promise<InstancePort> {
  const name = portName(parseOperationName(call.operation.name)?.operationId ?? "", index);
  const { portId } = wanted;
  const given = portId !== undefined;
  const port = given
    ? await takeOver(call, ports, portId, host)
    : (present.find((one) => one.name === name) ?? (await create(call, ports, wanted, name, host)));
  if (port.vifType === "binding_failed") throw ConductorErrors.PORT_BINDING_FAILED({ port: port.id });
  const facts = await ports.factsOf(call.ctx, port.networkId);
  return instancePort(port, facts, {
    createdByUs: !given,
    tag: wanted.tag ?? "",
    vifModel: call.instance.spec?.image?.properties.get("hw_vif_model") ?? "",
  });
}

/** Who owns the ports of a server, in Neutron's words. */
export const ownerOf = ({ server }: Pick<StepCall, "server">): string => ownerIn(server.availabilityZone);

/** The same of a server in a zone. */
export const ownerIn = (zone: string): string => `compute:${zone === "" ? "nova" : zone}`;

/** Binds a port that its user has made. @throws PORT_IN_USE when another device has it */
export async function takeOver(
  call: StepCall,
  { neutron }: Pick<NetworkPorts, "neutron">,
  portId: string,
  host: string,
): Promise<PortInfo> {
  const port = await neutron.getPort(call.ctx, portId);
  if (port.deviceId !== "" && port.deviceId !== call.server.id)
    throw ConductorErrors.PORT_IN_USE({ port: portId });
  return neutron.updatePort(call.ctx, portId, {
    deviceId: call.server.id,
    deviceOwner: ownerOf(call),
    bindingHostId: host,
  });
}

function create(
  call: StepCall,
  { neutron }: NetworkPorts,
  wanted: RequestedNetwork,
  name: string,
  host: string,
): Promise<PortInfo> {
  const groups = call.instance.spec?.securityGroups ?? [];
  return makePort(call.ctx, neutron, {
    name,
    networkId: wanted.networkId ?? "",
    projectId: call.server.projectId,
    deviceId: call.server.id,
    deviceOwner: ownerOf(call),
    bindingHostId: host,
    ...(wanted.fixedIp === undefined ? {} : { fixedIps: [{ ipAddress: wanted.fixedIp }] }),
    ...(groups.length === 0 ? {} : { securityGroupIds: groups }),
  });
}
