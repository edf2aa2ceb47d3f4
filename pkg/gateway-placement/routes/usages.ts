import type { UsageGroup } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { assertKeys, providerIn } from "../call.js";
import type { Route } from "../call.js";
import { RestErrors } from "../errors.js";
import { shortText } from "../query.js";

const amounts = (usages: ReadonlyMap<string, bigint>): Record<string, number> =>
  Object.fromEntries([...usages].map(([name, amount]) => [name, Number(amount)]));

/** Below 1.38 types do not show: everything is one sum. */
function summed(groups: readonly UsageGroup[]): Record<string, number> {
  const sums = new Map<string, bigint>();
  for (const { usages } of groups)
    for (const [name, amount] of usages) sums.set(name, (sums.get(name) ?? 0n) + amount);
  return amounts(sums);
}

/** None, a name, or one of the two words that stand for groups. */
const CONSUMER_TYPE = /^(?:[A-Z0-9_]*|all|unknown)$/;

export const usageRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/resource_providers/:uuid/usages",
    since: 0,
    policy: "admin-or-service",
    handler: async (call) => {
      const { groups, providerGeneration } = await call.placement.listUsages(call.ctx, {
        providerId: providerIn(call),
      });
      return {
        status: 200,
        json: { resource_provider_generation: Number(providerGeneration), usages: summed(groups) },
      };
    },
  },
  {
    method: "GET",
    path: "/usages",
    since: 9,
    policy: "project-reader",
    handler: async ({ ctx, placement, query, minor }) => {
      assertKeys(query, ["project_id", "user_id", ...(minor >= 38 ? ["consumer_type"] : [])]);
      const projectId = shortText(query, "project_id");
      if (projectId === undefined)
        throw RestErrors.QUERY_INVALID({ problem: "'project_id' is a required property" });
      const consumerType = shortText(query, "consumer_type") ?? "";
      if (!CONSUMER_TYPE.test(consumerType))
        throw RestErrors.QUERY_INVALID({ problem: `'${consumerType}' is no consumer type` });
      const userId = shortText(query, "user_id") ?? "";
      const { groups } = await placement.listUsages(ctx, { projectId, userId, consumerType });
      const usages =
        minor < 38
          ? summed(groups)
          : Object.fromEntries(
              groups.map((one) => [
                one.consumerType,
                { ...amounts(one.usages), consumer_count: Number(one.consumerCount) },
              ]),
            );
      return { status: 200, json: { usages } };
    },
  },
];
