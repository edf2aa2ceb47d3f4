import type { ResourceLimit } from "../../../../gen/kilonova/api/v1/limits_service.js";
import { replyJson } from "../../http/api-request.js";
import { last } from "../../http/query.js";
import { since, until } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { parameter, query, text } from "../../schema/nodes.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";
import { orNone } from "../../../model/presence.js";

type Limits = ReadonlyMap<string, ResourceLimit>;

const limitsQuery = query(since("2.75"), [parameter("tenant_id", text())]);

const UNLIMITED = -1;
const most = (name: string, resource: string, span = since("2.1")): Field<Limits, null> => ({
  name,
  span,
  value: (limits) => Number(limits.get(resource)?.limit ?? UNLIMITED),
});
const used = (name: string, resource: string, span = since("2.1")): Field<Limits, null> => ({
  name,
  span,
  value: (limits) => Number(limits.get(resource)?.used ?? 0),
});
/** Quotas of what the network service took over. */
const networkQuotas = until("2.35");

const fields: readonly Field<Limits, null>[] = [
  most("maxTotalInstances", "instances"),
  most("maxTotalCores", "cores"),
  most("maxTotalRAMSize", "ram"),
  most("maxTotalKeypairs", "key_pairs"),
  most("maxServerMeta", "metadata_items"),
  most("maxImageMeta", "metadata_items", until("2.38")),
  most("maxPersonality", "injected_files", until("2.56")),
  most("maxPersonalitySize", "injected_file_content_bytes", until("2.56")),
  most("maxServerGroups", "server_groups"),
  most("maxServerGroupMembers", "server_group_members"),
  most("maxTotalFloatingIps", "floating_ips", networkQuotas),
  most("maxSecurityGroups", "security_groups", networkQuotas),
  most("maxSecurityGroupRules", "security_group_rules", networkQuotas),
  used("totalRAMUsed", "ram"),
  used("totalCoresUsed", "cores"),
  used("totalInstancesUsed", "instances"),
  used("totalServerGroupsUsed", "server_groups"),
  used("totalFloatingIpsUsed", "floating_ips", networkQuotas),
  used("totalSecurityGroupsUsed", "security_groups", networkQuotas),
];

const limitsView = (): View<Limits, null> => new View("absolute", fields);

export function limitRoutes({ limits }: Pick<ApiClients, "limits">): Operation[] {
  const view = limitsView();
  return [
    {
      route: "GET /limits",
      query: limitsQuery,
      handle: async (request) => {
        const answer = await limits.getLimits(request.ctx, {
          projectId: orNone(last(request.query, "tenant_id")),
        });
        const byName = new Map(answer.limits.map((limit) => [limit.name, limit]));
        return replyJson({
          limits: { rate: [], absolute: view.shape(request.version).render(byName, null) },
        });
      },
    },
  ];
}
