import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { Ctx } from "../../kernel/index.js";
import type { CellHosts } from "../cells/host-directory.js";
import type { ZoneRequest } from "../domain/zone-request.js";
import { CreateErrors } from "../errors.js";
import type { Parts } from "../parts.js";

/**
 * Checks that the zone, host and node asked for exist. While a cell is silent and unknown, they are given the
 * benefit of the doubt: the scheduler decides.
 * @throws ZONE_NOT_AVAILABLE, HOST_NOT_FOUND
 */
export async function requirePlace(
  parts: Parts,
  ctx: Ctx,
  zone: ZoneRequest,
  request: CreateServersRequest,
): Promise<void> {
  const hosts = [zone.host, request.host].filter((host) => host !== "");
  const nodes = [zone.node, request.hypervisorHostname].filter((node) => node !== "");
  if (zone.zone === "" && hosts.length + nodes.length === 0) return;
  const { cells, unreachable } = await parts.directory.all(ctx);
  if (unreachable.length > 0) return;
  for (const host of hosts)
    if (!cells.some((cell) => cell.byHost.has(host))) throw CreateErrors.HOST_NOT_FOUND({ host });
  for (const node of nodes) if (!hasNode(cells, node)) throw CreateErrors.HOST_NOT_FOUND({ host: node });
  if (zone.zone !== "" && zone.host === "" && zone.node === "" && !hasZone(cells, zone.zone))
    throw CreateErrors.ZONE_NOT_AVAILABLE({ zone: zone.zone });
}

const hasNode = (cells: readonly CellHosts[], name: string): boolean =>
  cells.some((cell) => cell.nodes.some((node) => node.hypervisorHostname === name));
const hasZone = (cells: readonly CellHosts[], zone: string): boolean =>
  cells.some((cell) =>
    [...cell.byHost.values()].some((service) => service.availabilityZone === zone && !service.disabled),
  );
