import type { AvailabilityZone } from "../../../../gen/kilonova/api/v1/hosts_service.js";
import { replyJson } from "../../http/api-request.js";
import type { Json, JsonObject } from "../../http/json.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { query } from "../../schema/nodes.js";
import { longTime } from "../../view/times.js";

const noParameters = query(since("2.102"));

/** Services of a zone by host and binary. */
function hostsOf(zone: AvailabilityZone): JsonObject {
  const hosts = new Map<string, [string, Json][]>();
  for (const service of zone.services) {
    const shown = {
      active: service.active,
      available: service.available,
      updated_at: longTime(service.updatedAt),
    };
    hosts.set(service.host, [...(hosts.get(service.host) ?? []), [service.binary, shown]]);
  }
  return Object.fromEntries([...hosts].map(([host, services]) => [host, Object.fromEntries(services)]));
}

const zoneView = (zone: AvailabilityZone, hosts: Json): JsonObject => ({
  zoneName: zone.name,
  zoneState: { available: zone.available },
  hosts,
});

export function availabilityZoneRoutes({
  availabilityZones,
}: Pick<ApiClients, "availabilityZones">): Operation[] {
  return [
    {
      route: "GET /os-availability-zone",
      query: noParameters,
      handle: async (request) => {
        const { zones, unreachableCells } = await availabilityZones.listAvailabilityZones(request.ctx, {
          detail: false,
        });
        return replyJson(
          { availabilityZoneInfo: zones.map((zone) => zoneView(zone, null)) },
          { unreachableCells: unreachableCells.length },
        );
      },
    },
    {
      route: "GET /os-availability-zone/detail",
      query: noParameters,
      handle: async (request) => {
        const { zones, unreachableCells } = await availabilityZones.listAvailabilityZones(request.ctx, {
          detail: true,
        });
        return replyJson(
          { availabilityZoneInfo: zones.map((zone) => zoneView(zone, hostsOf(zone))) },
          { unreachableCells: unreachableCells.length },
        );
      },
    },
  ];
}
