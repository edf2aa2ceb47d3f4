import type { PacedWork, Pacer } from "../../kernel/pacer.js";
import { Bitset, noCombination, searchCandidates, shortfallOf } from "../../placement/index/index.js";
import type { Candidate, CandidateRequest, Found } from "../../placement/index/index.js";
import { explain } from "../domain/explanation.js";
import type { Explanation } from "../domain/explanation.js";
import type { HostFacts } from "../domain/host-view.js";
import { hostPrefilters } from "../domain/host-prefilters.js";
import { rootConditions } from "../domain/prefilters.js";
import { claimTellings, placementTellings } from "../domain/placement-tellings.js";
import { tells } from "../domain/telling.js";
import type { Tell, Tellings } from "../domain/telling.js";
import type { PrefilterOptions } from "../domain/prefilters.js";
import { filterHosts, rankHosts } from "../domain/rank.js";
import type { RankedHost } from "../domain/rank.js";
import type { RequestSpec } from "../domain/request-spec.js";
import { resourceRequest } from "../domain/resource-request.js";
import type { Rules } from "../domain/rules.js";
import { seeded } from "../domain/seed.js";
import { refuse } from "../domain/verdict.js";
import type { HostRefusal } from "../domain/verdict.js";
import type { Fleet } from "../views/fleet.js";

export interface DecideOptions extends PrefilterOptions {
  readonly maxPlacementResults: number;
  /** Most tries of one provider for one group, in one search over all hosts. */
  readonly maxSearchSteps: number;
  /** Most milliseconds of computing for one such search. */
  readonly maxSearchMs: number;
}

/** Where and for whom a decision computes. */
export interface Pace {
  readonly pacer: Pacer;
  /** Aborts when nobody waits for the decision any more. */
  readonly signal: AbortSignal;
}

export interface Choice extends RankedHost {
  /** What to claim there; the first that fits. */
  readonly candidate: Candidate;
}

/** Hints that need to see every host: a limited search might not show the one they mean. */
const UNLIMITED_HINTS = ["group", "same_host", "different_host"];

/**
 * Ranks the hosts that fit a request: host rules, then resources, then filters, then weighers. No I/O. A
 * decision that is quickly found is given at once, so that nothing happens between it and its claim.
 *
 * @returns best first; empty when nothing fits or nothing was found within the budget (`explainAll` says why)
 * @cost a bit for each host, then as many views as candidates, at most the budget
 */
export function decide(
  fleet: Fleet,
  request: RequestSpec,
  rules: Rules,
  options: DecideOptions,
  { pacer, signal }: Pace,
): Choice[] | Promise<Choice[]> {
  fleet.instances.expire();
  const wanted = wantedResources(request, options);
  const found = pacer.run(signal, (ranMs) =>
    searchCandidates(fleet.index, wanted, {
      among: eligibleHosts(fleet, request),
      startAt: seeded(request.serverId, "start"),
      perTree: 1,
      budget: budgetOf(options, ranMs),
    }),
  );
  return found instanceof Promise
    ? found.then((late) => rank(fleet, request, rules, late))
    : rank(fleet, request, rules, found);
}

const budgetOf = ({ maxSearchSteps, maxSearchMs }: DecideOptions, ranMs: () => number) => ({
  maxSteps: maxSearchSteps,
  timeUp: () => ranMs() >= maxSearchMs,
});

function rank(fleet: Fleet, request: RequestSpec, rules: Rules, { candidates }: Found): Choice[] {
  const facts = fleet.hosts();
  const byRoot = new Map<string, Candidate>();
  for (const candidate of candidates)
    if (!byRoot.has(candidate.rootId)) byRoot.set(candidate.rootId, candidate);
  const hosts = [...byRoot.keys()].flatMap((id) => {
    const host = facts.get(id);
    return host === undefined ? [] : [fleet.view(host)];
  });
  return rankHosts(request, filterHosts(request, hosts, rules).passed, rules, request.serverId).flatMap(
    (ranked) => {
      const candidate = byRoot.get(ranked.host.computeNodeId);
      return candidate === undefined ? [] : [{ candidate, ...ranked }];
    },
  );
}

/** Providers of hosts that the request's own words allow. */
function eligibleHosts(fleet: Fleet, request: RequestSpec): Bitset {
  return hostPrefilters
    .filter((rule) => rule.applies(request))
    .map((rule) => rule.pick(request, fleet))
    .reduce((both, picked) => picked.and(both), fleet.all());
}

/** What the request asks of placement. */
export function wantedResources(request: RequestSpec, options: DecideOptions): CandidateRequest {
  const unlimited = UNLIMITED_HINTS.some((hint) => request.hints.has(hint)) || request.group !== undefined;
  return resourceRequest(
    request,
    rootConditions(request, options),
    unlimited ? 0 : options.maxPlacementResults,
  );
}

/** Judges a rebuild: the server stays on its host, so only the rules about its new image run. */
export function judgeRebuild(
  fleet: Fleet,
  request: RequestSpec,
  rules: Rules,
): { readonly passed: readonly RankedHost[]; readonly explanation: Explanation } {
  const hosts = fleet
    .hostsNamed(request.forcedHost)
    .filter(({ node }) => request.forcedNode === "" || node === request.forcedNode);
  const { passed, refused } = filterHosts(
    request,
    hosts.map((host) => fleet.view(host)),
    rules,
  );
  return {
    passed: passed.map((host) => ({ host, weight: 0 })),
    explanation: explain(
      hosts.length,
      refused,
      passed.map(({ host }) => host),
    ),
  };
}

/**
 * Says of every host which rule refuses it first. Looks at all of them: for failures and for those who ask.
 * Hosts that the search does not reach within its budget are said to be that.
 * @param claims  refusals of placement itself, met while claiming
 */
export const explainAll = async (
  fleet: Fleet,
  request: RequestSpec,
  rules: Rules,
  options: DecideOptions,
  { pacer, signal, claims = [] }: Pace & { readonly claims?: readonly HostRefusal[] },
): Promise<Explanation> =>
  pacer.run(signal, (ranMs) => explaining(fleet, request, rules, options, claims, ranMs));

function* explaining(
  fleet: Fleet,
  request: RequestSpec,
  rules: Rules,
  options: DecideOptions,
  claims: readonly HostRefusal[],
  ranMs: () => number,
): PacedWork<Explanation> {
  const wanted = { ...wantedResources(request, options), limit: 0 };
  const hosts = [...fleet.hosts().values()];
  const refused = new Map<HostFacts, HostRefusal>();
  const searched = new Map<string, HostFacts>();
  for (const host of hosts) {
    const refusal = prefilterRefusal(host, request) ?? shortfallRefusal(fleet, wanted, host);
    if (refusal === undefined) searched.set(host.computeNodeId, host);
    else refused.set(host, refusal);
    yield;
  }
  const among = Bitset.of([...searched.keys()].flatMap((id) => fleet.index.slotOf(id) ?? []));
  const { candidates, unfinished } = yield* searchCandidates(fleet.index, wanted, {
    among,
    perTree: 1,
    budget: budgetOf(options, ranMs),
  });
  const fitting = new Set(candidates.map(({ rootId }) => rootId));
  const open = new Set(unfinished);
  const claimed = new Map(claims.map((one) => [one.host, one]));
  for (const [id, host] of searched) {
    const at = { host: host.host, rule: "placement" };
    const refusal = fitting.has(id)
      ? claimed.get(host.host)
      : { ...at, refusal: open.has(id) ? refuse("SEARCH_BUDGET_EXHAUSTED") : noCombinationRefusal };
    if (refusal !== undefined) refused.set(host, refusal);
  }
  const remaining = hosts.filter((host) => !refused.has(host));
  const judged = filterHosts(
    request,
    remaining.map((host) => fleet.view(host)),
    rules,
  );
  const order = [
    ...hostPrefilters.map(({ name }) => name),
    "placement",
    ...rules.filters.map(({ name }) => name),
    "claim",
  ];
  const all = [...hosts.flatMap((host) => refused.get(host) ?? []), ...judged.refused].sort(
    (a, b) => order.indexOf(a.rule) - order.indexOf(b.rule),
  );
  return explain(
    hosts.length,
    all,
    judged.passed.map(({ host }) => host),
  );
}

/** How the reasons of all rules are told. A reason that nobody knows is told by its name. */
export const tellOf =
  (rules: Rules): Tell =>
  (rule, reason) =>
    tellingsOf(rules, rule)?.[reason] ?? tells(`${rule} ${reason}`);

const tellingsOf = (rules: Rules, rule: string): Tellings | undefined =>
  rule === "placement"
    ? placementTellings
    : rule === "claim"
      ? claimTellings
      : [...hostPrefilters, ...rules.filters].find(({ name }) => name === rule)?.tellings;

function prefilterRefusal(host: HostFacts, request: RequestSpec): HostRefusal | undefined {
  for (const rule of hostPrefilters) {
    if (!rule.applies(request)) continue;
    const verdict = rule.judge(host, request);
    if (!verdict.passed) return { host: host.host, rule: rule.name, refusal: verdict };
  }
  return undefined;
}

const noCombinationRefusal = { passed: false, ...noCombination } as const;

function shortfallRefusal(fleet: Fleet, wanted: CandidateRequest, host: HostFacts): HostRefusal | undefined {
  const slot = fleet.index.slotOf(host.computeNodeId);
  const at = { host: host.host, rule: "placement" };
  if (slot === undefined) return { ...at, refusal: refuse("NO_PROVIDER") };
  const shortfall = shortfallOf(fleet.index, wanted, slot);
  return shortfall === undefined ? undefined : { ...at, refusal: { passed: false, ...shortfall } };
}
