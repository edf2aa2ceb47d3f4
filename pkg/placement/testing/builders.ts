import type { Inventory, ProviderDetails } from "../domain/model.js";
import type { CandidateRequest, Condition, RequestGroup } from "../index/request.js";
import { ProviderIndex } from "../index/provider-index.js";

/** `{ VCPU: 8 }`, or `{ VCPU: [8, 3] }` with 3 of them used. */
export type Stock = Readonly<Record<string, number | readonly [total: number, used: number]>>;

export const anInventory = (
  resourceClass: string,
  total: number,
  more: Partial<Inventory> = {},
): Inventory => ({
  resourceClass,
  total,
  reserved: 0,
  minUnit: 1,
  maxUnit: 2_147_483_647,
  stepSize: 1,
  allocationRatio: 1,
  used: 0,
  ...more,
});

/** A provider whose name is its id. `parent` makes it part of that provider's tree. */
export const aProvider = (
  id: string,
  stock: Stock = {},
  more: {
    readonly parent?: string;
    readonly root?: string;
    readonly traits?: readonly string[];
    readonly aggregates?: readonly string[];
  } = {},
): ProviderDetails => ({
  id,
  name: id,
  generation: 0,
  parentId: more.parent ?? "",
  rootId: more.root ?? more.parent ?? id,
  updatedAt: 0n,
  traits: more.traits ?? [],
  aggregates: more.aggregates ?? [],
  inventories: Object.entries(stock).map(([resourceClass, amount]) =>
    typeof amount === "number"
      ? anInventory(resourceClass, amount)
      : anInventory(resourceClass, amount[0], { used: amount[1] }),
  ),
});

export function anIndex(...providers: readonly ProviderDetails[]): ProviderIndex {
  const index = new ProviderIndex();
  for (const one of providers) index.put(one);
  return index;
}

/** Conditions as REST writes them: `A`, `!B`, `in:C,D`. */
export const conditions = (...texts: readonly string[]): Condition[] =>
  texts.map((text) => {
    const forbidden = text.startsWith("!");
    const rest = forbidden ? text.slice(1) : text;
    return { forbidden, anyOf: rest.startsWith("in:") ? rest.slice(3).split(",") : [rest] };
  });

export const aGroup = (
  suffix: string,
  resources: Readonly<Record<string, number>>,
  more: Partial<RequestGroup> = {},
): RequestGroup => ({
  suffix,
  resources: new Map(Object.entries(resources)),
  required: [],
  memberOf: [],
  inTree: "",
  ...more,
});

export const aCandidateRequest = (
  groups: readonly RequestGroup[],
  more: Partial<CandidateRequest> = {},
): CandidateRequest => ({
  groups,
  groupPolicy: "none",
  rootRequired: [],
  sameSubtree: [],
  limit: 0,
  ...more,
});

/** A small generator of repeatable chance (mulberry32). */
export function chance(seed: number): { below(limit: number): number; pick<T>(items: readonly T[]): T } {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    pick: <T>(items: readonly T[]): T => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}
