import type { Amounts } from "../domain/model.js";
import { Bitset } from "./bitset.js";
import { fits } from "./provider-index.js";
import type { ProviderIndex } from "./provider-index.js";
import type { Condition, RequestGroup } from "./request.js";

/** Slots that meet all conditions, each by a set of slots per name. */
export function meeting(
  start: Bitset,
  conditions: readonly Condition[],
  setOf: (name: string) => Bitset,
): Bitset {
  const result = start.clone();
  for (const { anyOf, forbidden } of conditions) {
    const union = new Bitset();
    for (const name of anyOf) union.or(setOf(name));
    if (forbidden) result.andNot(union);
    else result.and(union);
  }
  return result;
}

/** Slots on which each of the amounts fits by itself. */
export function fitting(index: ProviderIndex, start: Bitset, amounts: Amounts): Bitset {
  const result = start.clone();
  for (const [resourceClass, amount] of amounts) {
    const column = index.column(resourceClass);
    if (column === undefined) return new Bitset();
    result.and(column.has);
    for (const slot of result.toArray()) if (!fits(column, slot, amount)) result.delete(slot);
  }
  return result;
}

/** Slots of the tree that a group is bound to; everything when it is not bound. */
export function inBounds(index: ProviderIndex, inTree: string): Bitset {
  if (inTree === "") return index.present;
  const slot = index.slotOf(inTree);
  return slot === undefined ? new Bitset() : index.treeSet(index.rootOf(slot));
}

/**
 * Slots that can serve a suffixed group: everything from one provider, which must itself be in the
 * aggregates.
 * @param within  only slots of these
 */
export function eligibleForGroup(
  index: ProviderIndex,
  group: RequestGroup,
  within: Bitset = index.present,
): Bitset {
  const start = inBounds(index, group.inTree).clone().and(within);
  const bound = meeting(start, group.memberOf, (name) => index.inAggregate(name));
  return fitting(
    index,
    meeting(bound, group.required, (name) => index.withTrait(name)),
    group.resources,
  );
}

/**
 * Slots that may take part in the unsuffixed group: an aggregate of the root spans its tree, and forbidden
 * traits bar a provider; required ones are covered by all chosen providers together and are judged later.
 * @param within  only slots of these
 */
export function eligibleForUnsuffixed(
  index: ProviderIndex,
  group: RequestGroup,
  within: Bitset = index.present,
): Bitset {
  const withTree = (name: string): Bitset => {
    const direct = index.inAggregate(name);
    const spanned = direct.clone();
    for (const slot of direct.clone().and(index.roots).toArray())
      for (const member of index.tree(slot)) spanned.add(member);
    return spanned;
  };
  const start = inBounds(index, group.inTree).clone().and(within);
  const bound = meeting(start, group.memberOf, withTree);
  return meeting(
    bound,
    group.required.filter(({ forbidden }) => forbidden),
    (name) => index.withTrait(name),
  );
}
