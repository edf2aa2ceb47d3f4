import type { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { Ctx } from "../../kernel/index.js";
import type { CellHosts, CellServices } from "../cells/host-directory.js";
import type { ZoneRequest } from "../domain/zone-request.js";
import { CreateErrors } from "../errors.js";
import type { Parts } from "../parts.js";

/**
 * Checks that the zone, host and node asked for exist and belong together. While a cell is silent and
 * unknown, they are given the benefit of the doubt: the scheduler decides.
 * @returns the zone that the server shall be in: of a host that is forced its own, whatever was asked
 * @throws ZONE_NOT_AVAILABLE, HOST_NOT_FOUND
 */
export async function requirePlace(
  parts: Parts,
  ctx: Ctx,
  zone: ZoneRequest,
  request: CreateServersRequest,
): Promise<string> {
  const places = [
    { host: zone.host, node: zone.node },
    { host: request.host ?? "", node: request.hypervisorHostname ?? "" },
  ].filter(({ host, node }) => host !== "" || node !== "");
  if (zone.zone === "" && places.length === 0) return "";
  const { cells, unreachable } = await placesOf(parts, ctx, places);
  if (unreachable.length > 0) return isForced(zone) ? "" : zone.zone;
  for (const { host, node } of places)
    if (hostAt(cells, host, node) === undefined) throw CreateErrors.HOST_NOT_FOUND({ host: host || node });
  if (zone.zone !== "" && !isForced(zone) && !hasZone(cells, zone.zone))
    throw CreateErrors.ZONE_NOT_AVAILABLE({ zone: zone.zone });
  if (zone.zone === "" || !isForced(zone)) return zone.zone;
  return hostAt(cells, zone.host, zone.node)?.availabilityZone ?? "";
}

/** Hosts by what was read a moment ago; who names a hypervisor, as only administrators may, waits for it. */
const placesOf = async (
  parts: Parts,
  ctx: Ctx,
  places: readonly { readonly node: string }[],
): Promise<{ readonly cells: readonly Hosts[]; readonly unreachable: readonly string[] }> =>
  places.some(({ node }) => node !== "")
    ? parts.directory.now(ctx, await parts.databases.hostingCells(ctx), "records")
    : parts.directory.all(ctx);

type Hosts = CellServices & Partial<CellHosts>;

const isForced = ({ host, node }: ZoneRequest): boolean => host !== "" || node !== "";

/** The compute service of a host, of a node's host, or of both when they are the same. */
function hostAt(cells: readonly Hosts[], host: string, node: string): HostService | undefined {
  for (const { byHost, nodes = [] } of cells) {
    const of = node === "" ? host : nodes.find((one) => one.hypervisorHostname === node)?.host;
    const service = of === undefined || (host !== "" && of !== host) ? undefined : byHost.get(of);
    if (service !== undefined) return service;
  }
  return undefined;
}

/** Whether one of the hosts that take servers is in the zone. */
export const hasZone = (cells: readonly Hosts[], zone: string): boolean =>
  cells.some((cell) =>
    [...cell.byHost.values()].some((service) => service.availabilityZone === zone && !service.disabled),
  );
