import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { NetworkMode } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { RequestedNetwork } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { NetworkInfo } from "../../clients/neutron/ports.js";
import { mapLimit } from "../../kernel/index.js";
import { canonicalIpOr } from "../../model/ip-address.js";
import { CreateErrors } from "../errors.js";
import {
  networksOfProject,
  requireAddressed,
  requireChoice,
  requireUsable,
  visibleNetworks,
  visiblePort,
} from "../interfaces/usable.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** The interfaces to make, in order: each names a network or a port. */
export type NetworkPlan = readonly RequestedNetwork[];

const PORTS_AT_ONCE = 8;

/**
 * Checks the interfaces asked for, or chooses the project's only network.
 * @throws NETWORK_NOT_FOUND, NETWORK_WITHOUT_SUBNET, NETWORK_AMBIGUOUS, NO_NETWORK, EXTERNAL_NETWORK,
 *   PORT_NOT_FOUND, PORT_IN_USE, PORT_WITHOUT_ADDRESS, FIXED_IP_FORBIDDEN, FIXED_IP_IN_USE,
 *   FIXED_IP_AND_MAX_COUNT, PORTS_AND_MAX_COUNT
 */
export async function planNetworks(
  parts: Parts,
  ctx: Call,
  request: CreateServersRequest,
  maxCount: number,
): Promise<NetworkPlan> {
  if (request.networks.length === 0)
    return request.networkMode === NetworkMode.NETWORK_MODE_NONE
      ? []
      : chooseNetwork(parts, ctx, request.networkMode);
  const asked = request.networks.map((one) => ({
    ...one,
    fixedIp: one.fixedIp === undefined ? undefined : canonicalIpOr(one.fixedIp),
  }));
  if (maxCount > 1) requireRepeatable(asked);
  const byNetwork = asked.filter((one) => one.portId === undefined);
  const [networks] = await Promise.all([
    networksById(
      parts,
      ctx,
      byNetwork.flatMap((one) => one.networkId ?? []),
    ),
    mapLimit(
      asked.flatMap((one) => one.portId ?? []),
      PORTS_AT_ONCE,
      (portId) => requirePort(parts, ctx, portId),
    ),
  ]);
  for (const network of networks) requireUsable(ctx, network, CreateErrors);
  for (const one of byNetwork) requireAddressChoice(ctx, one, networks);
  // Only now: who holds an address is told of networks that the caller may use, and of no others.
  await mapLimit(byNetwork, PORTS_AT_ONCE, (one) => requireFreeAddress(parts, ctx, one));
  return asked;
}

/**
 * Without a list: the project's own or shared network, when there is exactly one. An explicit "auto" needs
 * one, silence is content without.
 */
async function chooseNetwork(parts: Parts, ctx: Call, mode: NetworkMode): Promise<NetworkPlan> {
  const { projectId } = ctx.actor;
  const [only, ...others] = await networksOfProject(parts, ctx, projectId);
  if (others.length > 0) throw CreateErrors.NETWORK_AMBIGUOUS({});
  if (only === undefined) {
    if (mode === NetworkMode.NETWORK_MODE_AUTO) throw CreateErrors.NO_NETWORK({ project: projectId });
    return [];
  }
  requireUsable(ctx, only, CreateErrors);
  return [{ networkId: only.id }];
}

function requireRepeatable(networks: readonly RequestedNetwork[]): void {
  if (networks.some((one) => one.portId !== undefined)) throw CreateErrors.PORTS_AND_MAX_COUNT({});
  if (networks.some((one) => one.fixedIp !== undefined)) throw CreateErrors.FIXED_IP_AND_MAX_COUNT({});
}

async function networksById(
  parts: Parts,
  ctx: Call,
  asked: readonly string[],
): Promise<readonly NetworkInfo[]> {
  const ids = [...new Set(asked)];
  if (ids.length === 0) return [];
  const visible = await visibleNetworks(parts, ctx, ids);
  const missing = ids.filter((id) => !visible.some((network) => network.id === id));
  if (missing.length > 0) throw CreateErrors.NETWORK_NOT_FOUND({ networks: missing.join(", ") });
  return visible;
}

/** @throws FIXED_IP_FORBIDDEN */
function requireAddressChoice(
  ctx: Call,
  { networkId = "", fixedIp }: RequestedNetwork,
  networks: readonly NetworkInfo[],
): void {
  if (fixedIp === undefined) return;
  const projectId = networks.find(({ id }) => id === networkId)?.projectId;
  requireChoice(ctx, { id: networkId, projectId }, CreateErrors);
}

async function requirePort(parts: Parts, ctx: Call, portId: string): Promise<void> {
  const port = await visiblePort(parts, ctx, portId, CreateErrors);
  if (port.deviceId !== "") throw CreateErrors.PORT_IN_USE({ port: portId });
  requireAddressed(port, CreateErrors);
}

async function requireFreeAddress(parts: Parts, ctx: Call, one: RequestedNetwork): Promise<void> {
  if (one.fixedIp === undefined || one.networkId === undefined) return;
  const holders = await parts.neutron.listPorts(ctx, { networkId: one.networkId, ipAddress: one.fixedIp });
  if (holders.length > 0) throw CreateErrors.FIXED_IP_IN_USE({ address: one.fixedIp });
}
