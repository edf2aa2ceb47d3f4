import type { Holding } from "../domain/model.js";
import { Partial } from "./partial.js";
import type { Plan } from "./plan.js";
import type { ProviderIndex } from "./provider-index.js";
import type { Candidate } from "./request.js";
import { roomCheck } from "./room.js";
import { roomOn, viewOf } from "./tree-view.js";
import type { TreeView } from "./tree-view.js";

/** Steps between two breaths of a search; a step is the try of one provider for one demand. */
export const STEPS_PER_BREATH = 128;
/** Dead ends that are remembered for one tree at most. */
const MAX_DEAD_ENDS = 50_000;

/**
 * Enumerates the ways in which one tree serves all demands: in the order of the demands with the fewest
 * options first, then of the providers. A branch is left as soon as it cannot end well: by room, subtree or
 * traits. Once it met a dead end, the search looks further ahead at every step and remembers dead ends, so
 * that equal groups on equal providers are not tried in every order.
 *
 * @returns ways, and undefined for a breath: so often somebody else may work and the budget is looked at
 */
export function* waysIn(
  index: ProviderIndex,
  plan: Plan,
  root: number,
): Generator<Candidate | undefined, undefined> {
  if (plan.sharing === undefined && index.tree(root).length === 1) {
    const way = onlyWay(index, plan, root);
    if (way !== undefined) yield way;
    return;
  }
  const tree = viewOf(index, plan, root);
  if (tree === undefined) return;
  const rootId = index.at(root)?.id ?? "";
  const partial = new Partial(plan, tree);
  const check = roomCheck(plan, tree);
  const dead = new Set<string>();
  const tried = new Int32Array(tree.order.length);
  const foundBefore = new Float64Array(tree.order.length);
  let found = 0,
    steps = (tree.size * tree.kinds.length) / 16,
    wary = check.contended;
  const hopeful = (): boolean => {
    const open = partial.open();
    if (!partial.traitsPossible(open)) return false;
    const tops = plan.sameSubtree.map((_, subtree) => partial.tops(subtree, open));
    if (tops.some((one) => one.length === 0)) return false;
    if (!wary || open.size === 0) return true;
    steps += check.steps;
    if (dead.size > 0 && dead.has(partial.name(open))) return false;
    if (!check.enough(partial, open)) return false;
    return tops.every((one, subtree) => one.some((top) => check.enough(partial, open, { subtree, top })));
  };
  if (!hopeful()) return;
  wary = false;
  for (;;) {
    if (++steps >= STEPS_PER_BREATH) {
      for (; steps >= STEPS_PER_BREATH; steps -= STEPS_PER_BREATH) yield undefined;
    }
    const depth = partial.depth;
    const at = nextOption(tree, partial, tried);
    if (at === undefined) {
      if (found === foundBefore[depth]) {
        wary = true;
        if (dead.size < MAX_DEAD_ENDS) dead.add(partial.name(partial.open()));
      }
      if (depth === 0) return;
      partial.pop();
      continue;
    }
    partial.push(at);
    if (!hopeful()) {
      wary = true;
      partial.pop();
    } else if (partial.depth === tree.order.length) {
      found++;
      yield wayOf(plan, tree, rootId, partial.chosen);
      partial.pop();
    } else {
      tried[partial.depth] = 0;
      foundBefore[partial.depth] = found;
    }
  }
}

/** The way of a tree of one provider, as most are: everything from it, or nothing. */
function onlyWay(index: ProviderIndex, plan: Plan, slot: number): Candidate | undefined {
  const { kinds, demands, classes, collective, isolate } = plan;
  const id = index.at(slot)?.id;
  if (id === undefined || !kinds.every(({ eligible }) => eligible.has(slot))) return undefined;
  if (!collective.every(({ anyOf }) => anyOf.some((name) => index.withTrait(name).has(slot))))
    return undefined;
  if (isolate && demands.filter(({ suffix }) => suffix !== "").length > 1) return undefined;
  const resources = new Map<string, number>();
  for (const { kind } of demands)
    for (const [number, amount] of kinds[kind]?.amounts ?? []) {
      const name = classes[number] ?? "";
      resources.set(name, (resources.get(name) ?? 0) + amount);
    }
  for (const [name, amount] of resources) if (amount > roomOn(index, name, slot)) return undefined;
  return {
    rootId: id,
    holdings: [{ providerId: id, resources }],
    mappings: new Map(demands.map(({ suffix }) => [suffix, [id]])),
  };
}

/** The next provider to try for the first open demand; undefined when all were. */
function nextOption(tree: TreeView, partial: Partial, tried: Int32Array): number | undefined {
  const { depth } = partial;
  const kind = tree.kinds[tree.order[depth]?.kind ?? -1];
  for (let number = tried[depth] ?? 0; number < (kind?.options.length ?? 0); number++) {
    const at = kind?.options[number];
    if (kind === undefined || at === undefined || !partial.fits(kind, at)) continue;
    tried[depth] = number + 1;
    return at;
  }
  return undefined;
}

/** @param chosen  providers by position in the order of the search */
function wayOf(plan: Plan, tree: TreeView, rootId: string, chosen: readonly number[]): Candidate {
  const byDemand = new Map(tree.order.map(({ demand }, depth) => [demand, chosen[depth] ?? 0]));
  const bySuffix = new Map<string, string[]>();
  const amounts = new Map<string, Map<string, number>>();
  for (const [number, { suffix, kind }] of plan.demands.entries()) {
    const id = tree.ids[byDemand.get(number) ?? 0] ?? "";
    const ids = bySuffix.get(suffix);
    if (ids === undefined) bySuffix.set(suffix, [id]);
    else if (!ids.includes(id)) ids.push(id);
    for (const [name, amount] of plan.kinds[kind]?.amounts ?? []) {
      let mine = amounts.get(id);
      if (mine === undefined) amounts.set(id, (mine = new Map()));
      const resourceClass = plan.classes[name] ?? "";
      mine.set(resourceClass, (mine.get(resourceClass) ?? 0) + amount);
    }
  }
  const holdings: Holding[] = [...amounts].map(([providerId, resources]) => ({ providerId, resources }));
  return { rootId, holdings, mappings: bySuffix };
}
