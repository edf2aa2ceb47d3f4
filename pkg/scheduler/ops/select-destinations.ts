import { KilonovaError } from "../../kernel/errors.js";
import type { Ctx } from "../../kernel/ctx.js";
import { refusalsFact } from "../../model/operation-error.js";
import type { Pacer } from "../../kernel/pacer.js";
import { summaryText } from "../domain/explanation.js";
import type { Explanation } from "../domain/explanation.js";
import type { HostFacts } from "../domain/host-view.js";
import { ownerSummary } from "../domain/owner-text.js";
import { claimTellings } from "../domain/placement-tellings.js";
import type { RequestSpec } from "../domain/request-spec.js";
import type { Rules } from "../domain/rules.js";
import { ownersFacts } from "../domain/telling.js";
import { refuse } from "../domain/verdict.js";
import type { HostRefusal } from "../domain/verdict.js";
import { E } from "../errors.js";
import type { HeldClaim, Placement } from "../ports.js";
import type { Fleet } from "../views/fleet.js";
import type { Holding } from "../../placement/index/index.js";
import { decide, explainAll, judgeRebuild, tellOf } from "./decide.js";
import type { Choice, DecideOptions } from "./decide.js";

export interface SelectDeps {
  readonly fleet: Fleet;
  readonly placement: Placement;
  readonly rules: Rules;
  readonly options: DecideOptions & { readonly maxClaimAttempts: number };
  readonly pacer: Pacer;
  /** Brings the views up to date; used once before a request is refused. */
  refresh(ctx: Ctx): Promise<void>;
  /** @throws VIEWS_NOT_READY */
  assertReady(): void;
}

export interface SelectRequest {
  readonly spec: RequestSpec;
  readonly operation: string;
  readonly fence: number;
  readonly alternates: number;
}

export interface Selection {
  readonly host: HostFacts;
  readonly holdings: readonly Holding[];
  readonly weight: number;
}

export interface Selected {
  /** Claimed. */
  readonly chosen: Selection;
  /** Not claimed; of the same cell, best first. */
  readonly alternates: readonly Selection[];
  readonly generation: number;
}

interface Attempt {
  readonly selected: Selected | undefined;
  readonly refused: readonly HostRefusal[];
}

/**
 * Chooses a host, claims it, and names alternates. Repeating it with the same operation and fence answers the
 * claim that is there. On a conflict at the claim the next host is tried, not the whole search.
 *
 * @throws NO_VALID_HOST with the explanation, HOSTS_RETURNING when hosts that only seem down might have
 *   fitted, GROUP_POLICY_UNSUPPORTED, VIEWS_NOT_READY, and what the claim throws
 */
export const selectDestinations =
  (deps: SelectDeps) =>
  async (ctx: Ctx, request: SelectRequest): Promise<Selected> => {
    deps.assertReady();
    assertPolicy(request.spec, deps.rules);
    if (request.spec.isRebuild) return rebuildOn(deps, request.spec);
    const first = await attempt(deps, ctx, request);
    if (first.selected !== undefined) return first.selected;
    // A host may have been registered or freed a moment ago: look again before saying no.
    await deps.refresh(ctx);
    const second = await attempt(deps, ctx, request);
    if (second.selected !== undefined) return second.selected;
    const explanation = await explainAll(deps.fleet, request.spec, deps.rules, deps.options, {
      pacer: deps.pacer,
      signal: ctx.signal,
      claims: second.refused,
    });
    const silent = deps.fleet.settled
      ? undefined
      : explanation.refusals.find(({ reason }) => reason === "HOST_DOWN");
    throw silent === undefined
      ? noValidHost(explanation, deps.rules)
      : E.HOSTS_RETURNING({ hosts: silent.hosts });
  };

async function attempt(deps: SelectDeps, ctx: Ctx, request: SelectRequest): Promise<Attempt> {
  const pace = { pacer: deps.pacer, signal: ctx.signal };
  const decided = decide(deps.fleet, request.spec, deps.rules, deps.options, pace);
  const choices = decided instanceof Promise ? await decided : decided;
  const refused: HostRefusal[] = [];
  for (const [number, choice] of choices.slice(0, deps.options.maxClaimAttempts).entries()) {
    const outcome = await claim(deps, ctx, request, choice.candidate.holdings, "new").catch(
      (error: unknown) => asRefusal(error, choice),
    );
    if ("reason" in outcome) {
      if (outcome.reason === "CONSUMER_GENERATION_CONFLICT")
        return settleHeld(deps, ctx, request, choices, outcome.error);
      ctx.span.event("host.refused", { rule: "claim", reason: outcome.reason });
      refused.push({ host: choice.host.host, rule: "claim", refusal: refuse(outcome.reason, outcome.facts) });
      continue;
    }
    deps.fleet.instances.place({
      id: request.spec.serverId,
      host: choice.host.host,
      projectId: request.spec.projectId,
      busy: true,
    });
    return {
      selected: {
        chosen: toSelection(choice),
        generation: outcome.generation,
        alternates: alternatesOf(choices, number, choice.host, request.alternates),
      },
      refused,
    };
  }
  return { selected: undefined, refused };
}

/** The server holds something: the claim of this very operation, unless that host is excluded by now. */
async function settleHeld(
  deps: SelectDeps,
  ctx: Ctx,
  request: SelectRequest,
  choices: readonly Choice[],
  conflict: unknown,
): Promise<Attempt> {
  const held = await deps.placement.held(ctx, request.spec.serverId);
  if (held === undefined || held.operation !== request.operation || held.fence > request.fence)
    throw conflict;
  const host = hostOf(deps.fleet, held);
  if (host !== undefined && !request.spec.excludedHosts.has(host.host.toLowerCase())) {
    const chosen = { host, holdings: held.holdings, weight: 0 };
    return {
      selected: {
        chosen,
        generation: held.generation,
        alternates: alternatesOf(choices, -1, host, request.alternates),
      },
      refused: [],
    };
  }
  for (const [number, choice] of choices.entries()) {
    const outcome = await claim(deps, ctx, request, choice.candidate.holdings, held.generation).catch(
      (error: unknown) => asRefusal(error, choice),
    );
    if ("reason" in outcome) continue;
    deps.fleet.instances.place({
      id: request.spec.serverId,
      host: choice.host.host,
      projectId: request.spec.projectId,
      busy: true,
    });
    return {
      selected: {
        chosen: toSelection(choice),
        generation: outcome.generation,
        alternates: alternatesOf(choices, number, choice.host, request.alternates),
      },
      refused: [],
    };
  }
  return { selected: undefined, refused: [] };
}

/** The host whose tree a claim is on. */
function hostOf(fleet: Fleet, held: HeldClaim): HostFacts | undefined {
  const hosts = fleet.hosts();
  for (const { providerId } of held.holdings) {
    const host = hosts.get(providerId) ?? hosts.get(fleet.index.get(providerId)?.rootId ?? "");
    if (host !== undefined) return host;
  }
  return undefined;
}

/** Claims, counting it in the views from the moment it is sent. */
async function claim(
  deps: SelectDeps,
  ctx: Ctx,
  { spec, operation, fence }: SelectRequest,
  holdings: readonly Holding[],
  expected: number | "new",
): Promise<{ readonly generation: number }> {
  const own = deps.fleet.claim(holdings);
  try {
    const { generation, revision } = await deps.placement.claim(ctx, {
      serverId: spec.serverId,
      projectId: spec.projectId,
      userId: spec.userId,
      operation,
      fence,
      holdings,
      expected,
    });
    own.confirm(revision);
    return { generation };
  } catch (error) {
    own.cancel();
    throw error;
  }
}

/** Refusals that say something about this host only; the next one may do. */
const isOfHost = (reason: string): boolean => Object.hasOwn(claimTellings, reason);

/** @throws what is no matter of one host */
function asRefusal(
  error: unknown,
  choice: Choice,
): { readonly reason: string; readonly facts: Readonly<Record<string, string>>; readonly error: unknown } {
  if (!(error instanceof KilonovaError)) throw error;
  if (!isOfHost(error.reason) && error.reason !== "CONSUMER_GENERATION_CONFLICT") throw error;
  const { provider: _provider, consumer: _consumer, ...facts } = error.facts;
  return { reason: error.reason, facts: { ...facts, attempted_weight: choice.weight.toFixed(3) }, error };
}

const toSelection = ({ host, candidate, weight }: Choice): Selection => ({
  host,
  holdings: candidate.holdings,
  weight,
});

const alternatesOf = (
  choices: readonly Choice[],
  chosen: number,
  host: HostFacts,
  wanted: number,
): Selection[] =>
  choices
    .filter(
      (one, number) =>
        number > chosen && one.host.cell === host.cell && one.host.computeNodeId !== host.computeNodeId,
    )
    .slice(0, wanted)
    .map(toSelection);

function rebuildOn(deps: SelectDeps, spec: RequestSpec): Selected {
  const {
    passed: [same],
    explanation,
  } = judgeRebuild(deps.fleet, spec, deps.rules);
  if (same === undefined) throw noValidHost(explanation, deps.rules);
  return { chosen: { host: same.host, holdings: [], weight: 0 }, alternates: [], generation: 0 };
}

/** A policy that nobody enforces is refused rather than silently broken. */
function assertPolicy({ group }: RequestSpec, rules: Rules): void {
  if (group === undefined) return;
  const enforcer = {
    affinity: "ServerGroupAffinityFilter",
    "anti-affinity": "ServerGroupAntiAffinityFilter",
    "soft-affinity": "ServerGroupSoftAffinityWeigher",
    "soft-anti-affinity": "ServerGroupSoftAntiAffinityWeigher",
  }[group.policy];
  const enabled =
    rules.filters.some(({ name }) => name === enforcer) ||
    rules.weighers.some(({ weigher }) => weigher.name === enforcer);
  if (!enabled) throw E.GROUP_POLICY_UNSUPPORTED({ policy: group.policy });
}

/** At most so many refusals travel with the error. */
const MAX_REFUSALS = 10;

function noValidHost(explanation: Explanation, rules: Rules): Error {
  const tell = tellOf(rules);
  const refusals = explanation.refusals
    .slice(0, MAX_REFUSALS)
    .map(({ rule, reason, hosts, nearestFacts }) => ({
      rule,
      reason,
      hosts,
      facts: ownersFacts(nearestFacts, tell(rule, reason)),
    }));
  return E.NO_VALID_HOST({
    summary: ownerSummary(explanation, tell),
    hosts_considered: explanation.hostsConsidered,
    refusals: refusalsFact(refusals),
    details: summaryText(explanation),
  });
}
