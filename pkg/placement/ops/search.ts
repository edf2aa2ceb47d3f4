import type { Ctx } from "../../kernel/ctx.js";
import type { ProviderDetails } from "../domain/model.js";
import { findCandidates, treesOf } from "../index/candidates.js";
import type { ProviderIndex } from "../index/provider-index.js";
import type { Candidate, CandidateRequest, Condition } from "../index/request.js";
import { selectProviders } from "../index/select-providers.js";
import type { ProviderQuery } from "../index/select-providers.js";
import type { PlacementStore } from "../ports.js";
import { assertClasses, assertTraits, namesOf } from "./names.js";

export interface SearchOptions {
  /** Most candidates ever given; what a request without a limit gets. */
  readonly maxCandidates: number;
}

/** Questions about many providers at once, answered from memory as fresh as the database. */
export const searchOps = (
  store: PlacementStore,
  keeper: { fresh(ctx: Ctx): Promise<ProviderIndex> },
  { maxCandidates }: SearchOptions,
) => ({
  providers: async (ctx: Ctx, query: ProviderQuery): Promise<ProviderDetails[]> => {
    await assertNames(ctx, store, query.resources.keys(), query.required);
    return selectProviders(await keeper.fresh(ctx), query);
  },

  /** @returns ways to fit, and every provider of the trees involved */
  candidates: async (
    ctx: Ctx,
    request: CandidateRequest,
  ): Promise<{ candidates: Candidate[]; summaries: ProviderDetails[] }> => {
    const conditions = [...request.rootRequired, ...request.groups.flatMap(({ required }) => required)];
    await assertNames(
      ctx,
      store,
      request.groups.flatMap(({ resources }) => [...resources.keys()]),
      conditions,
    );
    const index = await keeper.fresh(ctx);
    const limit = request.limit === 0 ? maxCandidates : Math.min(request.limit, maxCandidates);
    const candidates = findCandidates(index, { ...request, limit });
    return { candidates, summaries: treesOf(index, candidates).flatMap((id) => index.get(id) ?? []) };
  },
});

async function assertNames(
  ctx: Ctx,
  store: PlacementStore,
  classes: Iterable<string>,
  conditions: readonly Condition[],
): Promise<void> {
  await assertClasses(namesOf(ctx, store), classes);
  await assertTraits(
    namesOf(ctx, store),
    conditions.flatMap(({ anyOf }) => anyOf),
  );
}
