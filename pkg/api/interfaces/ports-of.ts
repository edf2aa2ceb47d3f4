import type { Interface } from "../../../gen/kilonova/api/v1/interfaces_service.js";
import type { PortInfo } from "../../clients/neutron/ports.js";
import { KilonovaError } from "../../kernel/index.js";
import { orNone } from "../../model/presence.js";
import type { LoadedServer } from "../cells/servers.js";
import { InterfaceErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/**
 * The ports of a server, by their ids. Everybody may write any server's id on a port of his own, so of other
 * projects' ports only those count that the server has by its record.
 */
export async function portsOf(
  { neutron }: Pick<Parts, "neutron">,
  ctx: Call,
  { server, record }: LoadedServer,
): Promise<readonly PortInfo[]> {
  const found = await neutron.listPorts(ctx, { deviceIds: [server.id] });
  return found.filter((port) => isOf(port, { server, record })).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** @throws PORT_NOT_FOUND, also for ports of other servers */
export async function portOf(
  { neutron }: Pick<Parts, "neutron">,
  ctx: Call,
  loaded: Pick<LoadedServer, "server" | "record">,
  portId: string,
): Promise<PortInfo> {
  const port = await ifFound(neutron.getPort(ctx, portId));
  if (port === undefined) throw InterfaceErrors.PORT_NOT_FOUND({ port: portId });
  if (port.deviceId === loaded.server.id && isOf(port, loaded)) return port;
  const visible = port.projectId === ctx.actor.projectId || ctx.rights.isAdmin;
  throw InterfaceErrors.PORT_NOT_FOUND({ port: portId, ...(visible ? { server: loaded.server.id } : {}) });
}

const isOf = (port: PortInfo, { server, record }: Pick<LoadedServer, "server" | "record">): boolean =>
  port.projectId === server.projectId || record.ports.some(({ portId }) => portId === port.id);

/** What is there; undefined when it is not. */
export async function ifFound<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return undefined;
    throw error;
  }
}

/** A port as the interface of its server. */
export const presentInterface = (
  { id, networkId, macAddress, status, fixedIps }: PortInfo,
  { record }: Pick<LoadedServer, "record">,
  tag = record.ports.find((port) => port.portId === id)?.tag,
): Interface => ({
  portId: id,
  networkId,
  macAddress,
  portState: status,
  addresses: fixedIps.map(({ ipAddress, subnetId }) => ({ ipAddress, subnetId })),
  tag: orNone(tag),
});
