import { E } from "../errors.js";
import { capacityOf, fitsCapacity, respectsUnits } from "./capacity.js";
import type { Consumer, ConsumerChange, Holding, Inventory, Tombstone } from "./model.js";

/** A provider as far as allocations concern it. */
export interface LedgerProvider {
  readonly id: string;
  readonly generation: number;
  readonly inventories: readonly Inventory[];
}

/** Everything that one transaction's decisions may depend on. */
export interface LedgerSnapshot {
  readonly providers: readonly LedgerProvider[];
  readonly consumers: readonly Consumer[];
  readonly tombstones: readonly Tombstone[];
}

/** What has to be written. Amounts and generations are final values, not differences. */
export interface LedgerDiff {
  readonly usages: readonly {
    readonly providerId: string;
    readonly resourceClass: string;
    readonly used: number;
  }[];
  /** Every provider whose usage or generation changed. */
  readonly providers: readonly { readonly id: string; readonly generation: number }[];
  readonly consumers: readonly Consumer[];
  readonly removedConsumers: readonly string[];
  readonly allocations: readonly AllocationRow[];
  readonly removedAllocations: readonly Omit<AllocationRow, "amount">[];
  readonly tombstones: readonly Tombstone[];
}

export interface AllocationRow {
  readonly consumerId: string;
  readonly providerId: string;
  readonly resourceClass: string;
  readonly amount: number;
}

/** `fence` grows with each owner of the operation and with each of an owner's attempts. */
export interface ClaimKey {
  readonly operation: string;
  readonly fence: number;
}

/**
 * The working copy on which one transaction decides about allocations. Each method either changes it as a
 * whole or throws and leaves it as it was; so many claims can share one transaction, and a failing one is
 * refused alone.
 */
export interface Ledger {
  /**
   * Replaces what consumers hold, all or nothing. Generations rise as in Placement: once for each consumer,
   * once for each provider that gets something, and for those of a consumer that is emptied.
   * @throws as PlacementService.SetAllocations says
   */
  replace(changes: readonly ConsumerChange[]): void;
  /** Replaces what one consumer holds in the name of an operation. @returns the consumer's generation now */
  claim(change: ConsumerChange, key: ClaimKey): number;
  /**
   * Removes what a consumer holds and remembers whose claims come too late; no provider's generation rises.
   * @returns whether there was anything
   */
  release(consumerId: string, key: ClaimKey | undefined, ownOnly: boolean): boolean;
  diff(): LedgerDiff;
}

interface ProviderState {
  generation: number;
  readonly inventories: ReadonlyMap<string, Inventory>;
  readonly used: Map<string, number>;
}

export function openLedger(snapshot: LedgerSnapshot): Ledger {
  const providers = new Map<string, ProviderState>(
    snapshot.providers.map((one) => [
      one.id,
      {
        generation: one.generation,
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

  /** Changes what consumers hold; the generations of providers stay. */
  const move = (changes: readonly ConsumerChange[], key?: ClaimKey): void => {
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
    for (const change of changes) {
      if (change.holdings.length === 0) now.delete(change.consumerId);
      else now.set(change.consumerId, consumerAfter(change, now.get(change.consumerId), key));
    }
  };

  const replace = (changes: readonly ConsumerChange[], key?: ClaimKey): void => {
    const named = changes.flatMap(({ consumerId, holdings }) =>
      holdings.length > 0 ? holdings : (now.get(consumerId)?.holdings ?? []),
    );
    move(changes, key);
    for (const providerId of new Set(named.map((one) => one.providerId))) {
      const provider = providers.get(providerId);
      if (provider !== undefined) provider.generation++;
    }
  };

  return {
    replace: (changes) => replace(changes),
    claim: (change, key) => {
      const { consumerId } = change;
      const buried = tombstones.get(tombKey({ consumerId, operation: key.operation }));
      if (buried !== undefined && key.fence <= buried.fence)
        throw E.CLAIM_TOMBSTONED({ consumer: consumerId, operation: key.operation });
      const held = now.get(consumerId);
      if (held !== undefined && held.claimOperation === key.operation) {
        if (key.fence < held.claimFence)
          throw E.CLAIM_FENCED({ consumer: consumerId, operation: key.operation });
        if (sameHoldings(held.holdings, change.holdings)) {
          if (key.fence > held.claimFence) now.set(consumerId, { ...held, claimFence: key.fence });
          return held.generation;
        }
        // A new owner of the operation cannot know what its predecessor claimed, and a later attempt
        // supersedes.
        if (key.fence > held.claimFence && change.expected === "new") {
          replace([{ ...change, expected: "any" }], key);
          return held.generation + 1;
        }
      }
      replace([change], key);
      return now.get(consumerId)?.generation ?? 0;
    },
    release: (consumerId, key, ownOnly) => {
      const held = now.get(consumerId);
      if (key !== undefined) {
        if (held?.claimOperation === key.operation && key.fence < held.claimFence)
          throw E.CLAIM_FENCED({ consumer: consumerId, operation: key.operation });
        bury({ consumerId, ...key });
      }
      if (held === undefined || (ownOnly && key !== undefined && held.claimOperation !== key.operation))
        return false;
      if (held.claimOperation !== "")
        bury({ consumerId, operation: held.claimOperation, fence: held.claimFence });
      move([{ ...held, expected: "any", holdings: [] }]);
      return true;
    },
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

type Deltas = Map<string, Map<string, number>>;

/** By how much each usage moves: everything the consumers held goes, everything they shall hold comes. */
function deltasOf(changes: readonly ConsumerChange[], now: ReadonlyMap<string, Consumer>): Deltas {
  const deltas: Deltas = new Map();
  const add = (holdings: readonly Holding[], sign: 1 | -1): void => {
    for (const { providerId, resources } of holdings) {
      let classes = deltas.get(providerId);
      if (classes === undefined) deltas.set(providerId, (classes = new Map()));
      for (const [resourceClass, amount] of resources)
        classes.set(resourceClass, (classes.get(resourceClass) ?? 0) + sign * amount);
    }
  };
  for (const change of changes) {
    add(now.get(change.consumerId)?.holdings ?? [], -1);
    add(change.holdings, 1);
  }
  return deltas;
}

function assertFits(
  changes: readonly ConsumerChange[],
  deltas: Deltas,
  providers: ReadonlyMap<string, ProviderState>,
): void {
  for (const { holdings } of changes) {
    for (const { providerId, resources } of holdings) {
      const state = providers.get(providerId);
      if (state === undefined) throw E.PROVIDER_UNKNOWN({ provider: providerId });
      for (const [resourceClass, amount] of resources) {
        const inventory = state.inventories.get(resourceClass);
        if (inventory === undefined)
          throw E.INVENTORY_MISSING({ provider: providerId, resource_class: resourceClass });
        const at = { provider: providerId, resource_class: resourceClass, asked: amount };
        if (!respectsUnits(inventory, amount)) {
          throw E.UNIT_VIOLATED({
            ...at,
            min_unit: inventory.minUnit,
            max_unit: inventory.maxUnit,
            step_size: inventory.stepSize,
          });
        }
        const used = state.used.get(resourceClass) ?? 0;
        if (!fitsCapacity(inventory, used, used + (deltas.get(providerId)?.get(resourceClass) ?? 0))) {
          throw E.CAPACITY_EXCEEDED({ ...at, free: Math.max(0, Math.floor(capacityOf(inventory)) - used) });
        }
      }
    }
  }
}

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
  claimOperation: key?.operation ?? "",
  claimFence: key?.fence ?? 0,
  holdings: change.holdings,
});

/** Whether both hold the same amounts; order and empty entries do not matter. */
function sameHoldings(a: readonly Holding[], b: readonly Holding[]): boolean {
  const flatA = flatten(a),
    flatB = flatten(b);
  return flatA.size === flatB.size && [...flatA].every(([key, amount]) => flatB.get(key) === amount);
}

const flatten = (holdings: readonly Holding[]): Map<string, number> =>
  new Map(
    holdings.flatMap(({ providerId, resources }) =>
      [...resources].map(([resourceClass, amount]) => [`${providerId} ${resourceClass}`, amount] as const),
    ),
  );

function usagesOf(providerId: string, providers: ReadonlyMap<string, ProviderState>): LedgerDiff["usages"] {
  const state = providers.get(providerId);
  if (state === undefined) return [];
  return [...state.used]
    .filter(([resourceClass, used]) => state.inventories.get(resourceClass)?.used !== used)
    .map(([resourceClass, used]) => ({ providerId, resourceClass, used }));
}

function consumerDiff(
  before: ReadonlyMap<string, Consumer>,
  now: ReadonlyMap<string, Consumer>,
): Pick<LedgerDiff, "consumers" | "removedConsumers" | "allocations" | "removedAllocations"> {
  const changed = [...now.values()].filter((one) => before.get(one.consumerId) !== one);
  const removedConsumers = [...before.keys()].filter((id) => !now.has(id));
  const allocations: AllocationRow[] = [];
  const removedAllocations: Omit<AllocationRow, "amount">[] = [];
  for (const consumerId of [...changed.map((one) => one.consumerId), ...removedConsumers]) {
    const was = rowsOf(consumerId, before.get(consumerId)),
      is = rowsOf(consumerId, now.get(consumerId));
    for (const [key, row] of is) if (was.get(key)?.amount !== row.amount) allocations.push(row);
    for (const [key, { providerId, resourceClass }] of was)
      if (!is.has(key)) removedAllocations.push({ consumerId, providerId, resourceClass });
  }
  return { consumers: changed, removedConsumers, allocations, removedAllocations };
}

const rowsOf = (consumerId: string, consumer: Consumer | undefined): Map<string, AllocationRow> =>
  new Map(
    (consumer?.holdings ?? []).flatMap(({ providerId, resources }) =>
      [...resources].map(
        ([resourceClass, amount]) =>
          [`${providerId} ${resourceClass}`, { consumerId, providerId, resourceClass, amount }] as const,
      ),
    ),
  );
