import type { Plan } from "./plan.js";
import { reachOf } from "./plan.js";
import type { ProviderIndex } from "./provider-index.js";

/** What the search needs to know of a demand's kind in one tree. */
export interface KindView {
  readonly suffixed: boolean;
  readonly amounts: readonly (readonly [classNumber: number, amount: number])[];
  /** Providers that can serve it, ascending. */
  readonly options: readonly number[];
  readonly isOption: Uint8Array;
  readonly inSubtrees: readonly number[];
  /** By provider: whether one of the options is it or below it. Only with `same_subtree`. */
  readonly under: Uint8Array;
}

/**
 * One tree with what is shared with it, as it was when its search began: the index may change while the
 * search rests. Providers are known by their position here.
 */
export interface TreeView {
  readonly size: number;
  readonly ids: readonly string[];
  readonly kinds: readonly KindView[];
  /** Numbers of kinds, in the order of the search: the fewest options first, dead ends show early. */
  readonly order: readonly { readonly demand: number; readonly kind: number }[];
  /** Most that groups may take together, at `provider * classes + class`. */
  readonly room: Float64Array;
  readonly classCount: number;
  /** By provider: itself and those above it that are in reach. Only with `same_subtree`. */
  readonly above: readonly (readonly number[])[];
  /** By provider: which of the traits wanted together it has. */
  readonly has: readonly (readonly number[])[];
  /** Providers with the same name can stand for each other. Computed when first asked for. */
  twinNames(): readonly string[];
}

/** @returns undefined when a demand has no provider at all */
export function viewOf(index: ProviderIndex, plan: Plan, root: number): TreeView | undefined {
  const slots = reachOf(index, plan, root).filter((slot) => index.at(slot) !== undefined);
  const above = plan.sameSubtree.length === 0 ? [] : aboveOf(index, slots);
  const kinds: KindView[] = [];
  for (const { suffixed, amounts, eligible, inSubtrees } of plan.kinds) {
    const isOption = new Uint8Array(slots.length);
    const options: number[] = [];
    for (const [number, slot] of slots.entries()) {
      if (!eligible.has(slot)) continue;
      isOption[number] = 1;
      options.push(number);
    }
    if (options.length === 0) return undefined;
    const under = new Uint8Array(slots.length);
    for (const option of options) for (const top of above[option] ?? []) under[top] = 1;
    kinds.push({ suffixed, amounts, options, isOption, inSubtrees, under });
  }
  const lengthOf = (kind: number): number => kinds[kind]?.options.length ?? 0;
  const order = plan.demands
    .map(({ kind }, demand) => ({ demand, kind }))
    .sort((a, b) => lengthOf(a.kind) - lengthOf(b.kind));
  const has = slots.map((slot) =>
    plan.collective.flatMap(({ anyOf }, number) =>
      anyOf.some((name) => index.withTrait(name).has(slot)) ? [number] : [],
    ),
  );
  const room = Float64Array.from(
    slots.flatMap((slot) => plan.classes.map((name) => roomOn(index, name, slot))),
  );
  const parents = above.length === 0 ? [] : slots.map((slot) => index.parentOf(slot) ?? -1);
  let twins: readonly string[] | undefined;
  return {
    size: slots.length,
    ids: slots.map((slot) => index.at(slot)?.id ?? ""),
    kinds,
    order,
    room,
    classCount: plan.classes.length,
    above,
    has,
    twinNames: () => (twins ??= twinNamesOf({ kinds, room, above, has, parents, size: slots.length })),
  };
}

/** What is free, or the largest unit where that is less: the sum of several groups must respect both. */
export function roomOn(index: ProviderIndex, resourceClass: string, slot: number): number {
  const column = index.column(resourceClass);
  if (column === undefined || !column.has.has(slot)) return 0;
  return Math.min((column.capacity[slot] ?? 0) - (column.used[slot] ?? 0), column.maxUnit[slot] ?? 0);
}

function aboveOf(index: ProviderIndex, slots: readonly number[]): number[][] {
  const positions = new Map(slots.map((slot, number) => [slot, number]));
  return slots.map((slot) => {
    const above: number[] = [];
    for (let at: number | undefined = slot; at !== undefined; at = index.parentOf(at)) {
      const position = positions.get(at);
      if (position !== undefined) above.push(position);
    }
    return above;
  });
}

/**
 * Two providers are twins when exchanging them changes nothing: both serve the same demands, have the same
 * room and traits and, where subtrees matter, the same parent and nothing below them.
 */
function twinNamesOf(
  tree: Pick<TreeView, "kinds" | "room" | "above" | "has" | "size"> & { readonly parents: readonly number[] },
): string[] {
  const { kinds, room, above, has, parents, size } = tree;
  const classCount = room.length / Math.max(1, size);
  const hasBelow = new Set(above.flatMap((tops) => tops.slice(1)));
  return Array.from({ length: size }, (_, at) => {
    if (hasBelow.has(at)) return `#${at}`;
    const serves = kinds.flatMap(({ isOption }, kind) => (isOption[at] === 1 ? [kind] : [])).join(",");
    const free = room.subarray(at * classCount, (at + 1) * classCount).join(",");
    return `${serves}|${free}|${has[at]?.join(",") ?? ""}|${parents[at] ?? ""}`;
  });
}
