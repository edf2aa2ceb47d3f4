import { eligibleForGroup, eligibleForUnsuffixed, fitting, inBounds, meeting } from "./eligible.js";
import { Bitset } from "./bitset.js";
import { fits } from "./provider-index.js";
import type { ProviderIndex } from "./provider-index.js";
import type { CandidateRequest, Condition, RequestGroup } from "./request.js";

/** Why a tree cannot serve a request: the first thing that is missing, and how far off it is. */
export interface Shortfall {
  readonly reason:
    | "NO_INVENTORY"
    | "NOT_ENOUGH"
    | "UNIT_VIOLATED"
    | "TRAIT_MISSING"
    | "TRAIT_FORBIDDEN"
    | "NOT_IN_AGGREGATE"
    | "NOT_IN_TREE"
    | "NO_COMBINATION";
  readonly facts: Readonly<Record<string, string>>;
  /** Part of the amount that is missing, 0..1; 1 where it cannot be measured. */
  readonly missing: number;
}

/**
 * Says what a tree lacks. For explanations only: one tree at a time.
 * @returns undefined when nothing is found missing group by group; the combination may still fail
 */
export function shortfallOf(
  index: ProviderIndex,
  request: CandidateRequest,
  root: number,
): Shortfall | undefined {
  const reach = reachFrom(index, root);
  const trait = traitShortfall(index, request.rootRequired, Bitset.of([root]));
  if (trait !== undefined) return trait;
  for (const group of request.groups) {
    const found = groupShortfall(index, group, reach);
    if (found !== undefined) return found;
  }
  return undefined;
}

export const noCombination: Shortfall = { reason: "NO_COMBINATION", facts: {}, missing: 1 };

function reachFrom(index: ProviderIndex, root: number): Bitset {
  const reach = index.treeSet(root);
  for (const slot of index.tree(root))
    for (const aggregate of index.at(slot)?.aggregates ?? [])
      reach.or(index.inAggregate(aggregate).clone().and(index.sharing()));
  return reach;
}

function groupShortfall(index: ProviderIndex, group: RequestGroup, reach: Bitset): Shortfall | undefined {
  const bound = reach.clone().and(inBounds(index, group.inTree));
  if (bound.empty) return { reason: "NOT_IN_TREE", facts: { tree: group.inTree }, missing: 1 };
  for (const [resourceClass, amount] of group.resources) {
    const short = amountShortfall(index, bound, resourceClass, amount);
    if (short !== undefined) return short;
  }
  const eligible =
    group.suffix === "" ? eligibleForUnsuffixed(index, group, reach) : eligibleForGroup(index, group, reach);
  if (group.suffix !== "" && eligible.empty)
    return traitShortfall(index, group.required, bound) ?? aggregateShortfall(group);
  for (const one of group.suffix === "" ? group.resources : []) {
    if (!fitting(index, eligible, new Map([one])).empty) continue;
    return (
      traitShortfall(
        index,
        group.required.filter(({ forbidden }) => forbidden),
        bound,
      ) ?? aggregateShortfall(group)
    );
  }
  return traitShortfall(
    index,
    group.required.filter(({ forbidden }) => !forbidden),
    bound,
  );
}

const aggregateShortfall = (group: RequestGroup): Shortfall =>
  group.memberOf.length > 0
    ? { reason: "NOT_IN_AGGREGATE", facts: { group: group.suffix }, missing: 1 }
    : { ...noCombination, facts: { group: group.suffix } };

function amountShortfall(
  index: ProviderIndex,
  bound: Bitset,
  resourceClass: string,
  amount: number,
): Shortfall | undefined {
  const column = index.column(resourceClass);
  const slots = column === undefined ? [] : bound.clone().and(column.has).toArray();
  if (column === undefined || slots.length === 0)
    return {
      reason: "NO_INVENTORY",
      facts: { resource_class: resourceClass, needed: String(amount) },
      missing: 1,
    };
  if (slots.some((slot) => fits(column, slot, amount))) return undefined;
  const freeOf = (slot: number): number =>
    Math.max(0, (column.capacity[slot] ?? 0) - (column.used[slot] ?? 0));
  const best = slots.reduce((most, slot) => (freeOf(slot) > freeOf(most) ? slot : most));
  const free = freeOf(best);
  const facts = {
    resource_class: resourceClass,
    needed: String(amount),
    free: String(free),
    capacity: String(column.capacity[best] ?? 0),
  };
  return free >= amount
    ? {
        reason: "UNIT_VIOLATED",
        facts: {
          ...facts,
          min_unit: String(column.minUnit[best] ?? 0),
          max_unit: String(column.maxUnit[best] ?? 0),
        },
        missing: 1,
      }
    : { reason: "NOT_ENOUGH", facts, missing: (amount - free) / amount };
}

function traitShortfall(
  index: ProviderIndex,
  conditions: readonly Condition[],
  slots: Bitset,
): Shortfall | undefined {
  for (const condition of conditions) {
    if (!meeting(slots, [condition], (name) => index.withTrait(name)).empty) continue;
    const facts = { trait: condition.anyOf.join(" or ") };
    return { reason: condition.forbidden ? "TRAIT_FORBIDDEN" : "TRAIT_MISSING", facts, missing: 1 };
  }
  return undefined;
}
