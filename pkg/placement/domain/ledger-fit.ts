import { E } from "../errors.js";
import { capacityOf, fitsCapacity, respectsUnits } from "./capacity.js";
import type { Consumer, ConsumerChange, Holding, Inventory } from "./model.js";

/** A provider in a ledger's working copy. */
export interface ProviderState {
  generation: number;
  readonly rootId: string;
  readonly inventories: ReadonlyMap<string, Inventory>;
  readonly used: Map<string, number>;
}

/** A consumer's change and what of it is newly asked for; the rest is held by somebody already. */
export interface AskedChange extends ConsumerChange {
  readonly asked: readonly Holding[];
}

/** By how much each usage moves, by provider and class. */
export type Deltas = Map<string, Map<string, number>>;

/** Everything that the consumers held goes, everything that they shall hold comes. */
export function deltasOf(changes: readonly ConsumerChange[], now: ReadonlyMap<string, Consumer>): Deltas {
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

/** @throws PROVIDER_UNKNOWN, INVENTORY_MISSING, UNIT_VIOLATED, CAPACITY_EXCEEDED for what is asked for */
export function assertFits(
  changes: readonly AskedChange[],
  deltas: Deltas,
  providers: ReadonlyMap<string, ProviderState>,
): void {
  for (const { asked } of changes) {
    for (const { providerId, resources } of asked) {
      const state = providers.get(providerId);
      if (state === undefined) throw E.PROVIDER_UNKNOWN({ provider: providerId });
      for (const [resourceClass, amount] of resources)
        assertAmount(providerId, state, resourceClass, amount, deltas);
    }
  }
}

function assertAmount(
  provider: string,
  { inventories, used }: ProviderState,
  resourceClass: string,
  amount: number,
  deltas: Deltas,
): void {
  const inventory = inventories.get(resourceClass);
  if (inventory === undefined) throw E.INVENTORY_MISSING({ provider, resource_class: resourceClass });
  const at = { provider, resource_class: resourceClass, asked: amount };
  if (!respectsUnits(inventory, amount)) {
    throw E.UNIT_VIOLATED({
      ...at,
      min_unit: inventory.minUnit,
      max_unit: inventory.maxUnit,
      step_size: inventory.stepSize,
    });
  }
  const before = used.get(resourceClass) ?? 0;
  if (!fitsCapacity(inventory, before, before + (deltas.get(provider)?.get(resourceClass) ?? 0))) {
    const capacity = Math.floor(capacityOf(inventory));
    throw E.CAPACITY_EXCEEDED({ ...at, capacity, used: before, free: Math.max(0, capacity - before) });
  }
}
