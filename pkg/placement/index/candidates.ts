import type { Holding } from "../domain/model.js";
import { Bitset } from "./bitset.js";
import { eligibleForGroup, eligibleForUnsuffixed, fitting as fittingSlots, meeting } from "./eligible.js";
import type { ProviderIndex } from "./provider-index.js";
import { assertRequest } from "./request.js";
import type { Candidate, CandidateRequest, Condition } from "./request.js";

/** One decision of the search: which provider gives these amounts. */
interface Demand {
  readonly suffix: string;
  readonly amounts: readonly (readonly [resourceClass: string, amount: number])[];
  readonly eligible: Bitset;
}

interface Plan {
  readonly demands: readonly Demand[];
  /** Traits that the providers of the unsuffixed group must have together. */
  readonly collective: readonly Condition[];
  readonly isolate: boolean;
  readonly sameSubtree: CandidateRequest["sameSubtree"];
  /** Providers that share; undefined when there are none, which is the rule. */
  readonly sharing: Bitset | undefined;
}

/**
 * Finds where a request fits, at most `limit` ways. Breadth first: one way per tree, then a second per tree
 * and so on, so that a wide tree cannot starve the others.
 *
 * @param options.startAt ratio 0..1: at which of the fitting trees to begin, so that a limit does not always
 *   show the same ones
 * @param options.among  only trees with these roots
 * @throws CANDIDATES_INVALID
 * @cost O(providers) for the sets, then proportional to the ways found and the branches pruned
 * @source placement-api, GET /allocation_candidates
 */
export function findCandidates(
  index: ProviderIndex,
  request: CandidateRequest,
  options: { readonly startAt?: number; readonly among?: Bitset } = {},
): Candidate[] {
  assertRequest(request);
  const plan = planOf(index, request);
  const fitting = anchorsOf(index, plan, request);
  const anchors = (options.among === undefined ? fitting : fitting.and(options.among)).toArray();
  const first = Math.floor((options.startAt ?? 0) * anchors.length) % Math.max(1, anchors.length);
  const ordered = [...anchors.slice(first), ...anchors.slice(0, first)];
  const limit = request.limit === 0 ? Infinity : request.limit;
  const found = new Map<string, Candidate>();
  // Searches begin when their turn comes: with a limit most trees are never looked into.
  let open: Iterable<Generator<Candidate, undefined>> = begin(index, plan, ordered);
  for (let more = true; more && found.size < limit;) {
    const still: Generator<Candidate, undefined>[] = [];
    for (const ways of open) {
      if (found.size >= limit) break;
      const next = ways.next();
      if (next.done === true) continue;
      still.push(ways);
      const key = keyOf(next.value);
      if (!found.has(key)) found.set(key, next.value);
    }
    open = still;
    more = still.length > 0;
  }
  return [...found.values()];
}

function* begin(
  index: ProviderIndex,
  plan: Plan,
  roots: readonly number[],
): Generator<Generator<Candidate, undefined>> {
  for (const root of roots) yield waysIn(index, plan, root);
}

function planOf(index: ProviderIndex, request: CandidateRequest): Plan {
  const demands: Demand[] = [];
  let collective: readonly Condition[] = [];
  for (const group of request.groups) {
    if (group.suffix !== "") {
      demands.push({
        suffix: group.suffix,
        amounts: [...group.resources],
        eligible: eligibleForGroup(index, group),
      });
      continue;
    }
    collective = group.required.filter(({ forbidden }) => !forbidden);
    const allowed = eligibleForUnsuffixed(index, group);
    for (const amount of group.resources)
      demands.push({
        suffix: "",
        amounts: [amount],
        eligible: fittingSlots(index, allowed, new Map([amount])),
      });
  }
  return {
    demands,
    collective,
    isolate: request.groupPolicy === "isolate",
    sameSubtree: request.sameSubtree,
    sharing: index.sharing().empty ? undefined : index.sharing(),
  };
}

/** Roots whose tree, with what is shared with it, has a provider for each demand. */
function anchorsOf(index: ProviderIndex, { demands, sharing }: Plan, request: CandidateRequest): Bitset {
  let anchors = meeting(index.roots, request.rootRequired, (name) => index.withTrait(name));
  for (const { eligible } of demands) {
    const reachable = new Bitset();
    for (const slot of eligible.toArray()) reachable.add(index.rootOf(slot));
    for (const slot of sharing === undefined ? [] : eligible.clone().and(sharing).toArray()) {
      for (const aggregate of index.at(slot)?.aggregates ?? [])
        for (const member of index.inAggregate(aggregate).toArray()) reachable.add(index.rootOf(member));
    }
    anchors = anchors.and(reachable);
  }
  return anchors;
}

/** Slots that can serve a tree: its own, and those that share with any of its members. */
function reachOf(index: ProviderIndex, { sharing }: Plan, root: number): readonly number[] {
  const members = index.tree(root);
  if (sharing === undefined) return members;
  const reach = Bitset.of(members);
  for (const slot of members)
    for (const aggregate of index.at(slot)?.aggregates ?? [])
      reach.or(index.inAggregate(aggregate).clone().and(sharing));
  return reach.toArray();
}

/** Enumerates the ways in which one tree serves all demands, dropping a branch as soon as it cannot fit. */
function* waysIn(index: ProviderIndex, plan: Plan, root: number): Generator<Candidate, undefined> {
  const reach = reachOf(index, plan, root);
  const options = plan.demands.map(({ eligible }) => reach.filter((slot) => eligible.has(slot)));
  if (options.some((slots) => slots.length === 0)) return;
  // The tightest demand first: a dead end is then met early.
  const order = plan.demands
    .map((_, number) => number)
    .sort((a, b) => (options[a]?.length ?? 0) - (options[b]?.length ?? 0));
  const chosen = new Array<number>(plan.demands.length);
  yield* choose(0);

  function* choose(depth: number): Generator<Candidate, undefined> {
    const number = order[depth];
    if (number === undefined) {
      const way = complete(index, plan, root, chosen);
      if (way !== undefined) yield way;
      return;
    }
    for (const slot of options[number] ?? []) {
      chosen[number] = slot;
      if (allowed(index, plan, order, chosen, depth)) yield* choose(depth + 1);
    }
  }
}

/** Whether the newest choice goes together with those before it. */
function allowed(
  index: ProviderIndex,
  { demands, isolate }: Plan,
  order: readonly number[],
  chosen: readonly number[],
  depth: number,
): boolean {
  if (depth === 0) return true;
  const newest = order[depth] ?? 0;
  const demand = demands[newest],
    slot = chosen[newest] ?? 0;
  if (demand === undefined) return false;
  const before = order.slice(0, depth).filter((number) => chosen[number] === slot);
  if (isolate && demand.suffix !== "" && before.some((number) => demands[number]?.suffix !== ""))
    return false;
  return demand.amounts.every(([resourceClass, amount]) => {
    const others = before.reduce(
      (sum, number) => sum + (demands[number]?.amounts.find(([name]) => name === resourceClass)?.[1] ?? 0),
      0,
    );
    if (others === 0) return true;
    const column = index.column(resourceClass);
    const sum = others + amount;
    return (
      column !== undefined &&
      sum <= (column.capacity[slot] ?? 0) - (column.used[slot] ?? 0) &&
      sum <= (column.maxUnit[slot] ?? 0)
    );
  });
}

function complete(
  index: ProviderIndex,
  plan: Plan,
  root: number,
  chosen: readonly number[],
): Candidate | undefined {
  const bySuffix = new Map<string, number[]>();
  const amounts = new Map<number, Map<string, number>>();
  for (const [number, demand] of plan.demands.entries()) {
    const slot = chosen[number] ?? 0;
    const slots = bySuffix.get(demand.suffix);
    if (slots === undefined) bySuffix.set(demand.suffix, [slot]);
    else if (!slots.includes(slot)) slots.push(slot);
    if (demand.amounts.length === 0) continue;
    let mine = amounts.get(slot);
    if (mine === undefined) amounts.set(slot, (mine = new Map()));
    for (const [resourceClass, amount] of demand.amounts)
      mine.set(resourceClass, (mine.get(resourceClass) ?? 0) + amount);
  }
  const unsuffixed = bySuffix.get("") ?? [];
  if (
    !plan.collective.every(({ anyOf }) =>
      anyOf.some((name) => unsuffixed.some((slot) => index.withTrait(name).has(slot))),
    )
  )
    return undefined;
  if (
    !plan.sameSubtree.every((suffixes) =>
      shareSubtree(
        index,
        suffixes.flatMap((suffix) => bySuffix.get(suffix) ?? []),
      ),
    )
  )
    return undefined;
  const idOf = (slot: number): string => index.at(slot)?.id ?? "";
  const holdings: Holding[] = [...amounts].map(([slot, resources]) => ({
    providerId: idOf(slot),
    resources,
  }));
  return {
    rootId: idOf(root),
    holdings,
    mappings: new Map([...bySuffix].map(([suffix, slots]) => [suffix, slots.map(idOf)])),
  };
}

/** Whether one of the slots is an ancestor of, or the same as, each of them. */
function shareSubtree(index: ProviderIndex, slots: readonly number[]): boolean {
  return slots.some((top) =>
    slots.every((slot) => {
      for (let at: number | undefined = slot; at !== undefined; at = index.parentOf(at))
        if (at === top) return true;
      return false;
    }),
  );
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
