import type { Partial } from "./partial.js";
import type { Plan } from "./plan.js";
import type { KindView, TreeView } from "./tree-view.js";

/** Beyond this many demands times pairs of kind and provider a flow costs too much: sums must do. */
const MAX_FLOW = 200_000;
/** So many different kinds of demand are compared with each other at most. */
const MAX_KINDS = 32;

/** A set of demands, none of them smaller than `amounts`. */
interface Bound {
  readonly kinds: readonly number[];
  readonly amounts: KindView["amounts"];
  /** A provider serves one of them only. */
  readonly alone: boolean;
}

/**
 * What has to hold for the open demands together, or there is no use in trying: that many of at least this
 * size go onto the providers that may serve them. Exact where all groups are alike, else necessary only.
 */
export interface RoomCheck {
  /** @param under  only count providers below this one for the groups of that same_subtree */
  enough(
    partial: Partial,
    open: ReadonlyMap<number, number>,
    under?: { readonly subtree: number; readonly top: number },
  ): boolean;
  /** Whether demands compete at all. */
  readonly contended: boolean;
  /** What one check costs, in steps of the search. */
  readonly steps: number;
}

export function roomCheck(plan: Plan, tree: TreeView): RoomCheck {
  const bounds = boundsOf(plan, tree);
  const pairs = bounds
    .flatMap(({ kinds }) => kinds)
    .reduce((sum, kind) => sum + (tree.kinds[kind]?.options.length ?? 0), 0);
  return {
    contended: bounds.length > 0,
    steps: 1 + pairs / 16,
    enough: (partial, open, under) => bounds.every((bound) => holds(bound, tree, partial, open, under)),
  };
}

function boundsOf(plan: Plan, { kinds, order }: TreeView): Bound[] {
  const counts = new Map<number, number>();
  for (const { kind } of order) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const all = [...counts.keys()];
  const bounds: Bound[] = [];
  const add = (members: readonly number[], amounts: Bound["amounts"], alone: boolean): void => {
    const demands = members.reduce((sum, kind) => sum + (counts.get(kind) ?? 0), 0);
    if (demands > 1 && (alone || amounts.length > 0)) bounds.push({ kinds: members, amounts, alone });
  };
  const suffixed = all.filter((kind) => kinds[kind]?.suffixed);
  if (plan.isolate) add(suffixed, [], true);
  if (all.length <= MAX_KINDS)
    for (const kind of all)
      add([kind], kinds[kind]?.amounts ?? [], plan.isolate && (kinds[kind]?.suffixed ?? false));
  for (const number of plan.classes.keys()) {
    const amountOf = (kind: number): number =>
      kinds[kind]?.amounts.find(([name]) => name === number)?.[1] ?? 0;
    const users = all.filter((kind) => amountOf(kind) > 0);
    const sizes = [...new Set(users.map(amountOf))].sort((a, b) => a - b);
    for (const size of all.length <= MAX_KINDS ? sizes : sizes.slice(0, 1)) {
      const members = users.filter((kind) => amountOf(kind) >= size);
      if (members.length > 1) add(members, [[number, size]], false);
    }
  }
  return bounds;
}

function holds(
  { kinds: members, amounts, alone }: Bound,
  tree: TreeView,
  partial: Partial,
  open: ReadonlyMap<number, number>,
  under: { readonly subtree: number; readonly top: number } | undefined,
): boolean {
  const wanted = members.filter((kind) => open.has(kind));
  const demands = wanted.reduce((sum, kind) => sum + (open.get(kind) ?? 0), 0);
  if (demands === 0) return true;
  const optionsOf = wanted.map((number) => {
    const kind = tree.kinds[number];
    if (kind === undefined) return [];
    const bound = under !== undefined && kind.inSubtrees.includes(under.subtree);
    return kind.options.filter(
      (at) => (!bound || tree.above[at]?.includes(under.top)) && partial.fits(kind, at),
    );
  });
  const left = new Map<number, number>();
  for (const at of optionsOf.flat())
    if (!left.has(at)) left.set(at, Math.min(demands, partial.capacity(at, amounts, alone)));
  if ([...left.values()].reduce((sum, one) => sum + one, 0) < demands) return false;
  const pairs = optionsOf.reduce((sum, options) => sum + options.length, 0);
  return (
    pairs * demands > MAX_FLOW ||
    wanted.length === 1 ||
    spread(
      wanted.map((kind) => open.get(kind) ?? 0),
      optionsOf,
      left,
    )
  );
}

/** Whether counts of demands go onto their options, each of which takes so many (a flow of whole numbers). */
function spread(
  counts: readonly number[],
  optionsOf: readonly (readonly number[])[],
  left: Map<number, number>,
): boolean {
  const placed = counts.map(() => new Map<number, number>());
  const move = (kind: number, at: number, by: 1 | -1): void => {
    placed[kind]?.set(at, (placed[kind]?.get(at) ?? 0) + by);
  };
  const place = (kind: number, seen: Set<number>): boolean => {
    for (const at of optionsOf[kind] ?? []) {
      if (seen.has(at)) continue;
      seen.add(at);
      const free = left.get(at) ?? 0;
      if (free > 0) left.set(at, free - 1);
      else {
        const other = placed.findIndex((mine, number) => number !== kind && (mine.get(at) ?? 0) > 0);
        if (other < 0 || !displace(other, at, seen)) continue;
      }
      move(kind, at, 1);
      return true;
    }
    return false;
  };
  const displace = (first: number, at: number, seen: Set<number>): boolean => {
    for (let kind = first; kind < placed.length; kind++) {
      if ((placed[kind]?.get(at) ?? 0) === 0 || !place(kind, seen)) continue;
      move(kind, at, -1);
      return true;
    }
    return false;
  };
  return counts.every((count, kind) => {
    for (let number = 0; number < count; number++) if (!place(kind, new Set())) return false;
    return true;
  });
}
