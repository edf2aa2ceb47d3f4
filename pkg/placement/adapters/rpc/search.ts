import type { PlacementOps } from "../../ops/index.js";
import {
  fromBareProvider,
  fromCandidate,
  fromProvider,
  toAmounts,
  toConditions,
  toGroup,
  toNumber,
} from "./convert.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { CandidateRequest } from "../../index/request.js";
import type { PlacementHandlers } from "./handlers.js";

type Served = "listProviders" | "listAllocationCandidates" | "watchChanges";

export const searchHandlers = (ops: PlacementOps): Pick<PlacementHandlers, Served> => ({
  listProviders: async (ctx, { id, name, inTree, memberOf, resources, required, withDetails }) => {
    const query = {
      id,
      name,
      inTree,
      memberOf: toConditions(memberOf),
      resources: toAmounts(resources),
      required: toConditions(required),
    };
    const found = await ops.search.providers(ctx, query);
    return { providers: found.map(withDetails ? fromProvider : fromBareProvider) };
  },
  listAllocationCandidates: async (ctx, { groups, groupPolicy, rootRequired, sameSubtree, limit }) => {
    const { candidates, summaries, incomplete } = await ops.search.candidates(ctx, {
      groups: groups.map(toGroup),
      groupPolicy: policyOf(groupPolicy),
      rootRequired: toConditions(rootRequired),
      sameSubtree: sameSubtree.map(({ suffixes }) => suffixes),
      limit,
    });
    return {
      candidates: candidates.map(fromCandidate),
      summaries: summaries.map(fromProvider),
      incomplete,
    };
  },
  watchChanges: async function* (ctx, { afterRevision }) {
    for await (const { revision, reset, providers, usedProviders, deletedProviderIds } of ops.watchChanges(
      ctx,
      toNumber(afterRevision, "after_revision"),
    )) {
      yield {
        revision: BigInt(revision),
        reset,
        providers: providers.map(fromProvider),
        usedProviders: usedProviders.map(fromProvider),
        deletedProviderIds: [...deletedProviderIds],
      };
    }
  },
});

function policyOf(text: string): CandidateRequest["groupPolicy"] {
  if (text === "" || text === "none" || text === "isolate") return text;
  throw CommonErrors.INVALID_ARGUMENT({ field: "group_policy", problem: "must be none or isolate" });
}
