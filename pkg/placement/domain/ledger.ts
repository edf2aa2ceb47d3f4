import { E } from "../errors.js";
import { claimRules } from "./claim-rules.js";
import type { ClaimRules } from "./claim-rules.js";
import { consumerDiff, usagesOf } from "./ledger-diff.js";
import { assertFits, deltasOf } from "./ledger-fit.js";
import type { AskedChange, ProviderState } from "./ledger-fit.js";
import type { ClaimKey, LedgerDiff, LedgerSnapshot, LedgerState } from "./ledger-types.js";
import type { Consumer, ConsumerChange, Tombstone } from "./model.js";

/**
 * The working copy on which one transaction decides about allocations. Each method either changes it as a
 * whole or throws and leaves it as it was; so many claims can share one transaction, and a failing one is
 * refused alone.
 */
export interface Ledger extends ClaimRules {
  /**
   * Replaces what consumers hold, all or nothing. Generations rise as in Placement: once for each consumer,
   * once for each provider that gets something, and for those of a consumer that is emptied. Operations whose
   * claims are replaced cannot make them again.
   * @throws as PlacementService.SetAllocations says
   */
  replace(changes: readonly ConsumerChange[]): void;
  diff(): LedgerDiff;
}

export function openLedger(snapshot: LedgerSnapshot): Ledger {
  const providers = new Map<string, ProviderState>(
    snapshot.providers.map((one) => [
      one.id,
      {
        generation: one.generation,
        rootId: one.rootId,
        inventories: new Map(one.inventories.map((inventory) => [inventory.resourceClass, inventory])),
        used: new Map(one.inventories.map(({ resourceClass, used }) => [resourceClass, used])),
      },
    ]),
  );
  const before = new Map(snapshot.consumers.map((one) => [one.consumerId, one]));
  const now = new Map<string, Consumer>(before);
  const tombstones = new Map(snapshot.tombstones.map((one) => [tombKey(one), one]));
  const fresh = new Map<string, Tombstone>();
  const touched = new Set<string>();

  const bury = (tombstone: Tombstone): void => {
    const key = tombKey(tombstone);
    if ((tombstones.get(key)?.fence ?? -1) >= tombstone.fence) return;
    tombstones.set(key, tombstone);
    fresh.set(key, tombstone);
  };

  const move = (changes: readonly AskedChange[], key: ClaimKey | undefined, bump: boolean): void => {
    for (const change of changes) assertExpected(change, now.get(change.consumerId));
    const deltas = deltasOf(changes, now);
    assertFits(changes, deltas, providers);
    for (const [providerId, classes] of deltas) {
      const provider = providers.get(providerId);
      if (provider === undefined) continue;
      touched.add(providerId);
      for (const [resourceClass, delta] of classes)
        provider.used.set(resourceClass, (provider.used.get(resourceClass) ?? 0) + delta);
    }
    const named = new Set<string>();
    for (const change of changes) {
      const held = now.get(change.consumerId);
      const gone = change.holdings.length === 0;
      for (const { providerId } of gone ? (held?.holdings ?? []) : change.holdings) named.add(providerId);
      if (
        held !== undefined &&
        held.claimOperation !== "" &&
        (gone || held.claimOperation !== key?.operation)
      )
        bury({ consumerId: held.consumerId, operation: held.claimOperation, fence: held.claimFence });
      if (gone) now.delete(change.consumerId);
      else now.set(change.consumerId, consumerAfter(change, held, key));
    }
    for (const providerId of bump ? named : []) {
      const provider = providers.get(providerId);
      if (provider !== undefined) provider.generation++;
    }
  };

  const state: LedgerState = {
    held: (consumerId) => now.get(consumerId),
    rootOf: (providerId) => providers.get(providerId)?.rootId,
    buried: (consumerId, operation) => tombstones.get(tombKey({ consumerId, operation }))?.fence,
    bury,
    move,
    stamp: (consumerId, key) => {
      const held = now.get(consumerId);
      const stamp = stampOf(key);
      // Repeating what was done writes nothing.
      if (
        held !== undefined &&
        (held.claimOperation !== stamp.claimOperation || held.claimFence !== stamp.claimFence)
      )
        now.set(consumerId, { ...held, ...stamp });
    },
  };

  return {
    ...claimRules(state),
    replace: (changes) =>
      move(
        changes.map((change) => ({ ...change, asked: change.holdings })),
        undefined,
        true,
      ),
    diff: () => ({
      usages: [...touched].flatMap((providerId) => usagesOf(providerId, providers)),
      providers: [...touched].map((id) => ({ id, generation: providers.get(id)?.generation ?? 0 })),
      tombstones: [...fresh.values()],
      ...consumerDiff(before, now),
    }),
  };
}

const tombKey = ({ consumerId, operation }: Pick<Tombstone, "consumerId" | "operation">): string =>
  `${consumerId} ${operation}`;

function assertExpected({ consumerId, expected }: ConsumerChange, held: Consumer | undefined): void {
  if (expected === "any") return;
  const have = held?.generation ?? "new";
  if (have !== expected) {
    throw E.CONSUMER_GENERATION_CONFLICT({
      consumer: consumerId,
      given: expected === "new" ? "None" : String(expected),
      have: have === "new" ? "null" : String(have),
    });
  }
}

const stampOf = (key: ClaimKey | undefined): Pick<Consumer, "claimOperation" | "claimFence"> => ({
  claimOperation: key?.operation ?? "",
  claimFence: key?.fence ?? 0,
});

const consumerAfter = (
  change: ConsumerChange,
  held: Consumer | undefined,
  key: ClaimKey | undefined,
): Consumer => ({
  consumerId: change.consumerId,
  projectId: change.projectId,
  userId: change.userId,
  consumerType: change.consumerType === "" ? (held?.consumerType ?? "") : change.consumerType,
  generation: (held?.generation ?? 0) + 1,
  ...stampOf(key),
  holdings: change.holdings,
});
