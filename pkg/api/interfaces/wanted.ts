import type { AttachInterfaceRequest } from "../../../gen/kilonova/api/v1/interfaces_service.js";
import type { NetworkInfo } from "../../clients/neutron/ports.js";
import { parseUuid } from "../../kernel/index.js";
import { canonicalIpOr } from "../../model/ip-address.js";
import type { LoadedServer } from "../cells/servers.js";
import { InterfaceErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import {
  networksOfProject,
  requireAddressed,
  requireChoice,
  requireUsable,
  visibleNetworks,
  visiblePort,
} from "./usable.js";

/** The interface to make: a port, or a network and perhaps an address on it. */
export interface WantedInterface {
  readonly networkId: string;
  readonly portId: string;
  readonly fixedIp: string;
}

type Asked = Pick<AttachInterfaceRequest, "networkId" | "portId" | "fixedIp">;

/**
 * Checks the interface asked for with the caller's rights, or chooses the server's project's only network.
 * @throws INVALID_REQUEST, PORT_NOT_FOUND, PORT_NOT_USABLE, PORT_IN_USE, PORT_WITHOUT_ADDRESS,
 *   NETWORK_NOT_FOUND, NETWORK_AMBIGUOUS, NO_NETWORK, NETWORK_WITHOUT_SUBNET, EXTERNAL_NETWORK,
 *   FIXED_IP_FORBIDDEN, FIXED_IP_IN_USE, PORT_QUOTA
 */
export async function wantedInterface(
  parts: Pick<Parts, "neutron">,
  ctx: Call,
  asked: Asked,
  { server }: LoadedServer,
): Promise<WantedInterface> {
  const networkId = asked.networkId && (parseUuid(asked.networkId) ?? asked.networkId);
  const portId = asked.portId && (parseUuid(asked.portId) ?? asked.portId);
  const fixedIp = asked.fixedIp && canonicalIpOr(asked.fixedIp);
  if (networkId !== undefined && portId !== undefined)
    throw InterfaceErrors.INVALID_REQUEST({
      field: "port_id",
      problem: "Must not input both network_id and port_id",
    });
  if (fixedIp !== undefined && networkId === undefined)
    throw InterfaceErrors.INVALID_REQUEST({
      field: "fixed_ip",
      problem: "Must input network_id when request IP address",
    });
  if (portId !== undefined) {
    await requirePort(parts, ctx, portId, server);
    return { networkId: "", portId, fixedIp: "" };
  }
  const network =
    networkId === undefined
      ? await onlyNetwork(parts, ctx, server.projectId)
      : await networkOf(parts, ctx, networkId);
  requireUsable(ctx, network, InterfaceErrors);
  await requireRoom(parts, ctx, server.projectId);
  if (fixedIp !== undefined) await requireAddress(parts, ctx, network, fixedIp);
  return { networkId: network.id, portId: "", fixedIp: fixedIp ?? "" };
}

async function requirePort(
  parts: Pick<Parts, "neutron">,
  ctx: Call,
  portId: string,
  server: LoadedServer["server"],
): Promise<void> {
  const port = await visiblePort(parts, ctx, portId, InterfaceErrors);
  if (port.projectId !== server.projectId)
    throw InterfaceErrors.PORT_NOT_USABLE({ port: portId, server: server.id });
  if (port.deviceId !== "") throw InterfaceErrors.PORT_IN_USE({ port: portId });
  requireAddressed(port, InterfaceErrors);
}

async function onlyNetwork(
  parts: Pick<Parts, "neutron">,
  ctx: Call,
  projectId: string,
): Promise<NetworkInfo> {
  const [only, ...others] = await networksOfProject(parts, ctx, projectId);
  if (others.length > 0) throw InterfaceErrors.NETWORK_AMBIGUOUS({});
  if (only === undefined) throw InterfaceErrors.NO_NETWORK({ project: projectId });
  return only;
}

async function networkOf(parts: Pick<Parts, "neutron">, ctx: Call, networkId: string): Promise<NetworkInfo> {
  const [network] = await visibleNetworks(parts, ctx, [networkId]);
  if (network === undefined) throw InterfaceErrors.NETWORK_NOT_FOUND({ network: networkId });
  return network;
}

/** @throws PORT_QUOTA; who is faster after this hears it from the operation */
async function requireRoom({ neutron }: Pick<Parts, "neutron">, ctx: Call, projectId: string): Promise<void> {
  const { port: limit } = await neutron.quota(ctx, projectId);
  if (limit >= 0 && (await neutron.listPorts(ctx, { projectId })).length >= limit)
    throw InterfaceErrors.PORT_QUOTA({ limit });
}

/** @throws FIXED_IP_FORBIDDEN, FIXED_IP_IN_USE */
async function requireAddress(
  { neutron }: Pick<Parts, "neutron">,
  ctx: Call,
  network: NetworkInfo,
  ipAddress: string,
): Promise<void> {
  requireChoice(ctx, network, InterfaceErrors);
  const holders = await neutron.listPorts(ctx, { networkId: network.id, ipAddress });
  if (holders.length > 0) throw InterfaceErrors.FIXED_IP_IN_USE({ address: ipAddress });
}
