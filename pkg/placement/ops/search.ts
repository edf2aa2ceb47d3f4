import type { Ctx } from "../../kernel/ctx.js";
import type { ProviderDetails } from "../domain/model.js";
import type { Pacer } from "../../kernel/pacer.js";
import { E } from "../errors.js";
import { searchCandidates, treesOf } from "../index/candidates.js";
import type { ProviderIndex } from "../index/provider-index.js";
import type { Candidate, CandidateRequest, Condition } from "../index/request.js";
import { selectProviders } from "../index/select-providers.js";
import type { ProviderQuery } from "../index/select-providers.js";
import type { PlacementStore } from "../ports.js";
import { assertClasses, assertTraits, namesOf } from "./names.js";

export interface SearchOptions {
  /** Most candidates ever given; what a request without a limit gets. */
  readonly maxCandidates: number;
  /** Most tries of one provider for one group in one search. */
  readonly maxSearchSteps: number;
  /** Most milliseconds of computing for one search. */
  readonly maxSearchMs: number;
}

/** Questions about many providers at once, answered from memory as fresh as the database. */
export const searchOps = (
  store: PlacementStore,
  keeper: { fresh(ctx: Ctx): Promise<ProviderIndex> },
  pacer: Pacer,
  { maxCandidates, maxSearchSteps, maxSearchMs }: SearchOptions,
) => ({
  providers: async (ctx: Ctx, query: ProviderQuery): Promise<ProviderDetails[]> => {
    await assertNames(ctx, store, query.resources.keys(), query.required);
    return selectProviders(await keeper.fresh(ctx), query);
  },

  /**
   * @returns ways to fit, every provider of the trees involved, and whether the search ended at its budget
   * @throws SEARCH_BUDGET_EXHAUSTED when it did and had found nothing: whether there is a way is not known
   */
  candidates: async (
    ctx: Ctx,
    request: CandidateRequest,
  ): Promise<{
    readonly candidates: readonly Candidate[];
    readonly summaries: readonly ProviderDetails[];
    readonly incomplete: boolean;
  }> => {
    const conditions = [...request.rootRequired, ...request.groups.flatMap(({ required }) => required)];
    await assertNames(
      ctx,
      store,
      request.groups.flatMap(({ resources }) => [...resources.keys()]),
      conditions,
    );
    const index = await keeper.fresh(ctx);
    const limit = request.limit === 0 ? maxCandidates : Math.min(request.limit, maxCandidates);
    const { candidates, unfinished } = await pacer.run(ctx.signal, (ranMs) =>
      searchCandidates(
        index,
        { ...request, limit },
        { budget: { maxSteps: maxSearchSteps, timeUp: () => ranMs() >= maxSearchMs } },
      ),
    );
    const incomplete = unfinished.length > 0 && candidates.length < limit;
    if (incomplete && candidates.length === 0) throw E.SEARCH_BUDGET_EXHAUSTED({});
    const summaries = treesOf(index, candidates).flatMap((id) => index.get(id) ?? []);
    return { candidates, summaries, incomplete };
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
