import { capacityOf } from "../domain/capacity.js";
import type { Inventory, ProviderDetails } from "../domain/model.js";
import { SHARING_TRAIT } from "../domain/model.js";
import { Bitset } from "./bitset.js";

/** Everything about one resource class, by slot. */
export interface ClassColumn {
  readonly has: Bitset;
  /** Whole units of capacity, truncated. */
  capacity: Float64Array;
  used: Float64Array;
  minUnit: Float64Array;
  maxUnit: Float64Array;
  stepSize: Float64Array;
}

const none = new Bitset();

/**
 * All providers in memory: numbers in columns by resource class, sets of slots by trait and aggregate. A slot
 * is the dense number of a provider; it stays with the id for the life of the index. Fed by changes, never by
 * queries.
 *
 * @cost about 1 KB per provider; a change costs as much as the provider has traits
 */
export class ProviderIndex {
  readonly #slots = new Map<string, number>();
  readonly #details: (ProviderDetails | undefined)[] = [];
  readonly #columns = new Map<string, ClassColumn>();
  readonly #traits = new Map<string, Bitset>();
  readonly #aggregates = new Map<string, Bitset>();
  /** By root: the slots of its tree, ascending. Lists, not sets: most trees have one member. */
  readonly #members = new Map<number, number[]>();
  /** Root and parent by slot; -1 for none. */
  readonly #rootOf: number[] = [];
  readonly #parentOf: number[] = [];
  readonly #present = new Bitset();
  readonly #roots = new Bitset();
  #size = 0;
  /** The head's revision up to which changes are in. */
  revision = 0;

  get present(): Bitset {
    return this.#present;
  }
  get roots(): Bitset {
    return this.#roots;
  }
  get size(): number {
    return this.#size;
  }
  get slotCount(): number {
    return this.#details.length;
  }

  slotOf(id: string): number | undefined {
    const slot = this.#slots.get(id);
    return slot !== undefined && this.#present.has(slot) ? slot : undefined;
  }
  at(slot: number): ProviderDetails | undefined {
    return this.#details[slot];
  }
  get(id: string): ProviderDetails | undefined {
    const slot = this.#slots.get(id);
    return slot === undefined ? undefined : this.#details[slot];
  }
  all(): ProviderDetails[] {
    return this.#present.toArray().flatMap((slot) => this.#details[slot] ?? []);
  }
  column(resourceClass: string): ClassColumn | undefined {
    return this.#columns.get(resourceClass);
  }
  withTrait(trait: string): Bitset {
    return this.#traits.get(trait) ?? none;
  }
  inAggregate(aggregate: string): Bitset {
    return this.#aggregates.get(aggregate) ?? none;
  }
  sharing(): Bitset {
    return this.withTrait(SHARING_TRAIT);
  }
  rootOf(slot: number): number {
    return this.#rootOf[slot] ?? slot;
  }
  parentOf(slot: number): number | undefined {
    const parent = this.#parentOf[slot] ?? -1;
    return parent < 0 ? undefined : parent;
  }
  /** Slots of the tree under a root, ascending. */
  tree(root: number): readonly number[] {
    return this.#members.get(root) ?? [];
  }
  treeSet(root: number): Bitset {
    return Bitset.of(this.tree(root));
  }

  clear(): void {
    for (const id of [...this.#slots.keys()]) this.remove(id);
    this.revision = 0;
  }

  /** Takes a provider as it is now, whether known or not. */
  put(provider: ProviderDetails): void {
    const slot = this.#slotFor(provider.id);
    this.#detach(slot);
    this.#details[slot] = provider;
    this.#present.add(slot);
    this.#size++;
    const root = this.#slotFor(provider.rootId);
    if (root === slot) this.#roots.add(slot);
    this.#rootOf[slot] = root;
    this.#parentOf[slot] = provider.parentId === "" ? -1 : this.#slotFor(provider.parentId);
    this.#members.set(
      root,
      [...this.tree(root), slot].sort((a, b) => a - b),
    );
    for (const trait of provider.traits) memberSet(this.#traits, trait).add(slot);
    for (const aggregate of provider.aggregates) memberSet(this.#aggregates, aggregate).add(slot);
    for (const inventory of provider.inventories) this.#setInventory(slot, inventory);
  }

  /** Takes new numbers of a known provider: generation and inventories; unknown ones are ignored. */
  putUsage({
    id,
    generation,
    updatedAt,
    inventories,
  }: Pick<ProviderDetails, "id" | "generation" | "updatedAt" | "inventories">): void {
    const slot = this.slotOf(id);
    const known = slot === undefined ? undefined : this.#details[slot];
    if (slot === undefined || known === undefined) return;
    this.#clearInventories(slot, known);
    this.#details[slot] = { ...known, generation, updatedAt, inventories };
    for (const inventory of inventories) this.#setInventory(slot, inventory);
  }

  remove(id: string): void {
    const slot = this.#slots.get(id);
    if (slot !== undefined) this.#detach(slot);
  }

  #slotFor(id: string): number {
    const known = this.#slots.get(id);
    if (known !== undefined) return known;
    const slot = this.#details.length;
    this.#slots.set(id, slot);
    this.#details.push(undefined);
    this.#rootOf.push(slot);
    this.#parentOf.push(-1);
    return slot;
  }

  #detach(slot: number): void {
    const old = this.#details[slot];
    if (old === undefined) return;
    for (const trait of old.traits) this.#traits.get(trait)?.delete(slot);
    for (const aggregate of old.aggregates) this.#aggregates.get(aggregate)?.delete(slot);
    const root = this.rootOf(slot);
    const others = this.tree(root).filter((one) => one !== slot);
    if (others.length === 0) this.#members.delete(root);
    else this.#members.set(root, others);
    this.#clearInventories(slot, old);
    this.#present.delete(slot);
    this.#roots.delete(slot);
    this.#details[slot] = undefined;
    this.#size--;
  }

  #clearInventories(slot: number, provider: ProviderDetails): void {
    for (const { resourceClass } of provider.inventories) this.#columns.get(resourceClass)?.has.delete(slot);
  }

  #setInventory(slot: number, inventory: Inventory): void {
    let column = this.#columns.get(inventory.resourceClass);
    if (column === undefined) this.#columns.set(inventory.resourceClass, (column = newColumn(64)));
    if (slot >= column.capacity.length) growColumn(column, Math.max(slot + 1, column.capacity.length * 2));
    column.has.add(slot);
    column.capacity[slot] = Math.trunc(capacityOf(inventory));
    column.used[slot] = inventory.used;
    column.minUnit[slot] = inventory.minUnit;
    column.maxUnit[slot] = inventory.maxUnit;
    column.stepSize[slot] = inventory.stepSize;
  }
}

function memberSet<K>(sets: Map<K, Bitset>, key: K): Bitset {
  let set = sets.get(key);
  if (set === undefined) sets.set(key, (set = new Bitset()));
  return set;
}

const NUMBERS = ["capacity", "used", "minUnit", "maxUnit", "stepSize"] as const;

const newColumn = (length: number): ClassColumn => ({
  has: new Bitset(),
  capacity: new Float64Array(length),
  used: new Float64Array(length),
  minUnit: new Float64Array(length),
  maxUnit: new Float64Array(length),
  stepSize: new Float64Array(length),
});

function growColumn(column: ClassColumn, length: number): void {
  for (const name of NUMBERS) {
    const grown = new Float64Array(length);
    grown.set(column[name]);
    column[name] = grown;
  }
}

/** Whether `amount` more of a class fits on a slot and respects its units. */
export function fits(column: ClassColumn, slot: number, amount: number): boolean {
  return (
    amount <= (column.capacity[slot] ?? 0) - (column.used[slot] ?? 0) &&
    amount >= (column.minUnit[slot] ?? 1) &&
    amount <= (column.maxUnit[slot] ?? 0) &&
    amount % (column.stepSize[slot] ?? 1) === 0
  );
}
