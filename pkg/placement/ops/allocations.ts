import type { Ctx } from "../../kernel/ctx.js";
import type { ClaimKey } from "../domain/ledger-types.js";
import type { ReleaseOptions } from "../domain/claim-rules.js";
import type { Claim, Consumer, ConsumerChange } from "../domain/model.js";
import type { PlacementStore, UsageRow } from "../ports.js";
import { assertClasses, namesOf } from "./names.js";
import { providerOf } from "./providers.js";
import type { WriteLane } from "./write-lane.js";

const providersOf = (changes: readonly ConsumerChange[]): string[] =>
  changes.flatMap(({ holdings }) => holdings.map(({ providerId }) => providerId));
const classesOf = (changes: readonly ConsumerChange[]): string[] =>
  changes.flatMap(({ holdings }) => holdings.flatMap(({ resources }) => [...resources.keys()]));

export interface UsageGroup {
  readonly consumerType: string;
  readonly consumerCount: number;
  readonly usages: ReadonlyMap<string, number>;
}

export const allocationOps = (store: PlacementStore, lane: WriteLane) => ({
  /** @returns generations by consumer, and the head after the claim */
  claim: async (
    ctx: Ctx,
    claim: Claim,
    key: ClaimKey,
  ): Promise<{ generations: ReadonlyMap<string, number>; revision: number }> => {
    await assertClasses(namesOf(ctx, store), classesOf(claim.claims));
    const { result: generations, revision } = await lane.submit(ctx, {
      consumerIds: [
        ...claim.claims.map(({ consumerId }) => consumerId),
        ...claim.takeOvers.flatMap(({ consumerId, from }) => [consumerId, from]),
      ],
      providerIds: [...providersOf(claim.claims), ...claim.claims.flatMap(({ keepTrees }) => keepTrees)],
      decide: (ledger) => ledger.claim(claim, key),
    });
    return { generations, revision };
  },

  /** @returns whether a move of the operation stood */
  revert: async (ctx: Ctx, consumerId: string, takenBy: string, key: ClaimKey): Promise<boolean> =>
    (
      await lane.submit(ctx, {
        consumerIds: [consumerId, takenBy],
        providerIds: [],
        decide: (ledger) => ledger.revert(consumerId, takenBy, key),
      })
    ).result,

  release: async (
    ctx: Ctx,
    consumerId: string,
    key: ClaimKey | undefined,
    options: ReleaseOptions,
  ): Promise<boolean> =>
    (
      await lane.submit(ctx, {
        consumerIds: [consumerId],
        providerIds: options.trees,
        decide: (ledger) => ledger.release(consumerId, key, options),
      })
    ).result,

  set: async (ctx: Ctx, changes: readonly ConsumerChange[]): Promise<void> => {
    await assertClasses(namesOf(ctx, store), classesOf(changes));
    await lane.submit(ctx, {
      consumerIds: changes.map(({ consumerId }) => consumerId),
      providerIds: providersOf(changes),
      decide: (ledger) => {
        ledger.replace(changes);
      },
    });
  },

  ofConsumer: (
    ctx: Ctx,
    id: string,
  ): Promise<{ consumers: Consumer[]; generations: ReadonlyMap<string, number> }> =>
    store.read(ctx, "placement.allocations.of-consumer", async (reader) => {
      const consumers = await reader.consumers({ ids: [id] });
      const providers = await reader.providers({
        ids: consumers.flatMap(({ holdings }) => holdings.map(({ providerId }) => providerId)),
      });
      return { consumers, generations: new Map(providers.map((one) => [one.id, one.generation])) };
    }),

  /** Consumers with what they hold on this provider only. @throws PROVIDER_NOT_FOUND */
  ofProvider: (
    ctx: Ctx,
    id: string,
  ): Promise<{ consumers: Consumer[]; generations: ReadonlyMap<string, number> }> =>
    store.read(ctx, "placement.allocations.of-provider", async (reader) => {
      const provider = await providerOf(reader, id);
      const consumers = (await reader.consumers({ providerId: id })).map((one) => ({
        ...one,
        holdings: one.holdings.filter(({ providerId }) => providerId === id),
      }));
      return { consumers, generations: new Map([[id, provider.generation]]) };
    }),

  /** Usage of one provider: an entry for each class it has, 0 when unused. */
  usageOfProvider: (ctx: Ctx, id: string): Promise<{ group: UsageGroup; generation: number }> =>
    store.read(ctx, "placement.usages.of-provider", async (reader) => {
      const provider = await providerOf(reader, id);
      const inventories = (await reader.inventories([id])).get(id) ?? [];
      return {
        generation: provider.generation,
        group: {
          consumerType: "",
          consumerCount: 0,
          usages: new Map(inventories.map((one) => [one.resourceClass, one.used])),
        },
      };
    }),

  /**
   * @param by.consumerType undefined: one group per type; "all": one group of all; "unknown": consumers
   *   without a type
   */
  usages: (
    ctx: Ctx,
    by: { readonly projectId: string; readonly userId?: string; readonly consumerType?: string },
  ): Promise<UsageGroup[]> =>
    store.read(ctx, "placement.usages", async (reader) => {
      const { consumerType, ...owner } = by;
      const typed =
        consumerType === undefined || consumerType === "all"
          ? {}
          : { consumerType: consumerType === "unknown" ? "" : consumerType };
      const { rows, counts } = await reader.usages({ ...owner, ...typed });
      const labelOf = (type: string): string =>
        consumerType === "all" ? "all" : type === "" ? "unknown" : type;
      return groupUsages(rows, counts, labelOf);
    }),
});

function groupUsages(
  rows: readonly UsageRow[],
  counts: ReadonlyMap<string, number>,
  labelOf: (type: string) => string,
): UsageGroup[] {
  const groups = new Map<string, { consumerCount: number; usages: Map<string, number> }>();
  const group = (label: string): { consumerCount: number; usages: Map<string, number> } => {
    let found = groups.get(label);
    if (found === undefined) groups.set(label, (found = { consumerCount: 0, usages: new Map() }));
    return found;
  };
  for (const [type, count] of counts) group(labelOf(type)).consumerCount += count;
  for (const { consumerType, resourceClass, used } of rows) {
    const { usages } = group(labelOf(consumerType));
    usages.set(resourceClass, (usages.get(resourceClass) ?? 0) + used);
  }
  return [...groups].map(([consumerType, found]) => ({ consumerType, ...found }));
}
