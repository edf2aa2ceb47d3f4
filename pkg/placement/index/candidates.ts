import { Bitset } from "./bitset.js";
import { anchorsOf, planOf } from "./plan.js";
import type { Plan } from "./plan.js";
import type { ProviderIndex } from "./provider-index.js";
import { assertRequest } from "./request.js";
import type { Candidate, CandidateRequest } from "./request.js";
import { STEPS_PER_BREATH, waysIn } from "./tree-search.js";

/** How much work a search may be. A step is the try of one provider for one group. */
export interface SearchBudget {
  readonly maxSteps: number;
  /** Asked now and then; true ends the search. */
  timeUp?(): boolean;
}

export interface SearchOptions {
  /** Ratio 0..1: at which of the fitting trees to begin: a limit shall not always show the same ones. */
  readonly startAt?: number;
  /** Only trees with these roots. */
  readonly among?: Bitset;
  /** Most ways per tree; default: all. */
  readonly perTree?: number;
  readonly budget?: SearchBudget;
}

export interface Found {
  readonly candidates: readonly Candidate[];
  /** Roots of trees that might hold more: the budget ended before they were searched. */
  readonly unfinished: readonly string[];
}

/** A tree takes so many steps before the next one has its turn. */
const STEPS_PER_TURN = 16 * STEPS_PER_BREATH;
/** What callers without a budget of their own get. */
const DEFAULT_BUDGET: SearchBudget = { maxSteps: 1_000_000 };

/**
 * Finds where a request fits, at most `limit` ways. Breadth first: one way per tree, then a second per tree
 * and so on, so that a wide tree cannot starve the others; a tree that takes long loses its turn.
 *
 * @throws CANDIDATES_INVALID
 * @cost O(providers) for the sets, then proportional to the ways found and the branches pruned, at most the
 *   budget
 * @source placement-api, GET /allocation_candidates
 */
export function findCandidates(
  index: ProviderIndex,
  request: CandidateRequest,
  options: SearchOptions = {},
): readonly Candidate[] {
  const work = searchCandidates(index, request, options);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value.candidates;
  }
}

/** The same as work that breathes: it yields now and then, so that others can work in between. */
export function* searchCandidates(
  index: ProviderIndex,
  request: CandidateRequest,
  { startAt = 0, among, perTree = Infinity, budget = DEFAULT_BUDGET }: SearchOptions = {},
): Generator<void, Found> {
  assertRequest(request);
  const plan = yield* planOf(index, request);
  const fitting = yield* anchorsOf(index, plan, request);
  const anchors = (among === undefined ? fitting : fitting.and(among)).toArray();
  const first = Math.floor(startAt * anchors.length) % Math.max(1, anchors.length);
  const ordered = [...anchors.slice(first), ...anchors.slice(0, first)];
  const limit = request.limit === 0 ? Infinity : request.limit;
  const found = new Map<string, Candidate>();
  const spent = {
    steps: 0,
    over: (): boolean => spent.steps >= budget.maxSteps || budget.timeUp?.() === true,
  };
  // Searches begin when their turn comes: with a limit most trees are never looked into.
  let open: Iterable<TreeTurns> = begin(index, plan, ordered);
  const unfinished: number[] = [];
  for (let more = true; more && found.size < limit;) {
    const still: TreeTurns[] = [];
    for (const tree of open) {
      if (found.size >= limit) break;
      if (spent.over()) {
        unfinished.push(tree.root);
        continue;
      }
      const turn = yield* takeTurn(tree.search, spent);
      if (turn === "done") continue;
      if (turn !== "long") {
        tree.found++;
        const key = keyOf(turn);
        if (!found.has(key)) found.set(key, turn);
      }
      if (tree.found < perTree) still.push(tree);
    }
    open = still;
    more = still.length > 0;
  }
  return {
    candidates: [...found.values()],
    unfinished: unfinished.flatMap((root) => index.at(root)?.id ?? []),
  };
}

interface TreeTurns {
  readonly root: number;
  readonly search: Generator<Candidate | undefined, undefined>;
  found: number;
}

function* begin(index: ProviderIndex, plan: Plan, roots: readonly number[]): Generator<TreeTurns> {
  for (const root of roots) yield { root, search: waysIn(index, plan, root), found: 0 };
}

/** @returns the tree's next way, "done" when there is none, "long" when its turn or the budget ended */
function* takeTurn(
  search: TreeTurns["search"],
  spent: { steps: number; over(): boolean },
): Generator<void, Candidate | "done" | "long"> {
  spent.steps++;
  for (let steps = 0; steps < STEPS_PER_TURN; steps += STEPS_PER_BREATH) {
    const next = search.next();
    yield;
    if (next.done === true) return "done";
    if (next.value !== undefined) return next.value;
    spent.steps += STEPS_PER_BREATH;
    if (spent.over()) break;
  }
  return "long";
}

function keyOf({ holdings, mappings }: Candidate): string {
  if (holdings.length === 1 && mappings.size === 1) return holdings[0]?.providerId ?? "";
  const amounts = holdings
    .flatMap(({ providerId, resources }) =>
      [...resources].map(([name, amount]) => `${providerId} ${name} ${amount}`),
    )
    .sort();
  const groups = [...mappings].map(([suffix, ids]) => `${suffix}=${[...ids].sort().join(",")}`).sort();
  return `${amounts.join(";")}|${groups.join(";")}`;
}

/** Every provider of the trees involved, and the sharing ones used. */
export function treesOf(index: ProviderIndex, candidates: readonly Candidate[]): string[] {
  const slots = new Bitset();
  for (const { rootId, holdings } of candidates) {
    const root = index.slotOf(rootId);
    if (root !== undefined) for (const slot of index.tree(root)) slots.add(slot);
    for (const { providerId } of holdings) {
      const slot = index.slotOf(providerId);
      if (slot !== undefined) for (const member of index.tree(index.rootOf(slot))) slots.add(member);
    }
  }
  return slots.toArray().flatMap((slot) => index.at(slot)?.id ?? []);
}
