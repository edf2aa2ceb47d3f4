import type {
  AvailabilityZone,
  ListAvailabilityZonesRequest,
  ListAvailabilityZonesResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import type { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, ownBy } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { INTERNAL_ZONE } from "../view/service-view.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

const ruleOf = ({ detail }: ListAvailabilityZonesRequest) =>
  detail ? "os_compute_api:os-availability-zone:detail" : "os_compute_api:os-availability-zone:list";

/** Lists zones; in detail also the internal one, with services. */
export const listAvailabilityZones = (
  parts: Parts,
): Guarded<ListAvailabilityZonesRequest, ListAvailabilityZonesResponse> =>
  guarded({}, ownBy(ruleOf), async (ctx, { detail }) => {
    const { cells, unreachable } = await parts.directory.all(ctx);
    // Also those that are shown as last seen.
    const silent = cells.map(({ cell }) => cell).filter((cell) => parts.guard.isDown(cell));
    const zones = zonesOf(cells.flatMap((cell) => cell.services));
    return {
      unreachableCells: [...unreachable, ...silent],
      zones: detail
        ? zones
        : zones.filter((zone) => zone.name !== INTERNAL_ZONE).map((zone) => ({ ...zone, services: [] })),
    };
  });

/** A zone is available while one of its services is enabled, whether alive or not. */
function zonesOf(services: readonly HostService[]): AvailabilityZone[] {
  const zones = new Map<string, AvailabilityZone>();
  for (const service of services) {
    const name = service.binary === COMPUTE_BINARY ? service.availabilityZone : INTERNAL_ZONE;
    const zone = zones.get(name) ?? { name, available: false, services: [] };
    zone.available ||= !service.disabled;
    zone.services.push({
      host: service.host,
      binary: service.binary,
      active: !service.disabled,
      available: service.up,
      updatedAt: service.lastSeenAt ?? service.updatedAt,
    });
    zones.set(name, zone);
  }
  return [...zones.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
