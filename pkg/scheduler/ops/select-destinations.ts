import type { Ctx } from "../../kernel/ctx.js";
import { refusalsFact } from "../../model/operation-error.js";
import { summaryText } from "../domain/explanation.js";
import type { Explanation } from "../domain/explanation.js";
import type { HostFacts } from "../domain/host-view.js";
import { ownerSummary } from "../domain/owner-text.js";
import type { RequestSpec } from "../domain/request-spec.js";
import type { Rules } from "../domain/rules.js";
import { rebuildConflict } from "../domain/rebuild-conflict.js";
import { ownersFacts } from "../domain/telling.js";
import { refuse } from "../domain/verdict.js";
import type { HostRefusal } from "../domain/verdict.js";
import { E } from "../errors.js";
import type { Claimed } from "../ports.js";
import type { Fleet } from "../views/fleet.js";
import { answerHeld, asRefusal, claim, startAgain, startOf } from "./claims.js";
import type { Start } from "./claims.js";
import type { SelectDeps, Selected, Selection, SelectRequest } from "./selection.js";
import { decide, explainAll, judgeRebuild, tellOf } from "./decide.js";
import type { Choice } from "./decide.js";

interface Attempt {
  readonly selected: Selected | undefined;
  readonly refused: readonly HostRefusal[];
}

/**
 * Chooses a host, claims it, and names alternates. Repeating it with the same operation and fence answers the
 * claim that is there. On a conflict at the claim the next host is tried, not the whole search.
 *
 * @throws NO_VALID_HOST with the explanation, HOSTS_RETURNING when hosts that only seem down might have
 *   fitted, NOTHING_TO_MOVE, SOURCE_UNKNOWN, GROUP_POLICY_UNSUPPORTED, VIEWS_NOT_READY, and what the claim
 *   throws
 */
export const selectDestinations =
  (deps: SelectDeps) =>
  async (ctx: Ctx, request: SelectRequest): Promise<Selected> => {
    deps.assertReady();
    assertPolicy(request.spec, deps.rules);
    if (request.spec.purpose === "rebuild-check") return rebuildOn(deps, request.spec);
    const start = await startOf(deps, ctx, request);
    const first = await attempt(deps, ctx, withSource(deps.fleet, request), start);
    if (first.selected !== undefined) return first.selected;
    // A host may have been registered or freed a moment ago: look again before saying no.
    await deps.refresh(ctx);
    const again = withSource(deps.fleet, request);
    const second = await attempt(deps, ctx, again, await startAgain(deps, ctx, request, start));
    if (second.selected !== undefined) return second.selected;
    assertSource(again.spec);
    const explanation = await explainAll(deps.fleet, again.spec, deps.rules, deps.options, {
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

/**
 * One search with its claims. A host that refuses makes room for the next one; a server that holds something
 * unexpectedly is looked at, once: it may be the claim of this very operation.
 */
async function attempt(deps: SelectDeps, ctx: Ctx, request: SelectRequest, start: Start): Promise<Attempt> {
  const pace = { pacer: deps.pacer, signal: ctx.signal };
  const decided = decide(deps.fleet, request.spec, deps.rules, deps.options, pace);
  const choices = decided instanceof Promise ? await decided : decided;
  if (start.own && start.held !== "new") {
    const again = await answerHeld(deps, ctx, request, start.held);
    if (again !== undefined)
      return { selected: selectedOf(request, again.selection, again.claimed, choices, -1), refused: [] };
  }
  const refused: HostRefusal[] = [];
  for (const [number, choice] of choices.slice(0, deps.options.maxClaimAttempts).entries()) {
    const outcome = await claim(deps, ctx, request, choice.candidate.holdings, start).catch(
      (error: unknown) => asRefusal(error, choice.weight),
    );
    if ("reason" in outcome) {
      if (outcome.reason === "CONSUMER_GENERATION_CONFLICT")
        return settleHeld(deps, ctx, request, start, outcome.error);
      ctx.span.event("host.refused", { rule: "claim", reason: outcome.reason });
      refused.push({ host: choice.host.host, rule: "claim", refusal: refuse(outcome.reason, outcome.facts) });
      continue;
    }
    placed(deps, request.spec, choice.host);
    return { selected: selectedOf(request, toSelection(choice), outcome, choices, number), refused };
  }
  return { selected: undefined, refused };
}

/** The server holds something else than was thought: the claim of this very operation, or a conflict. */
async function settleHeld(
  deps: SelectDeps,
  ctx: Ctx,
  request: SelectRequest,
  { own }: Start,
  conflict: unknown,
): Promise<Attempt> {
  const held = own ? undefined : await deps.placement.held(ctx, request.spec.serverId);
  if (held === undefined || held.operation !== request.operation || held.fence > request.fence)
    throw conflict;
  return attempt(deps, ctx, request, { held, own: true });
}

/** Counts the server on its new host at once. One that moves still counts where its record says. */
function placed({ fleet }: SelectDeps, { serverId, projectId, purpose }: RequestSpec, host: HostFacts): void {
  if (purpose === "boot" || purpose === "unshelve")
    fleet.instances.place({ id: serverId, host: host.host, projectId, busy: true });
}

const selectedOf = (
  { alternates }: SelectRequest,
  chosen: Selection,
  { generation, migrationGeneration }: Claimed,
  choices: readonly Choice[],
  number: number,
): Selected => ({
  chosen,
  generation,
  migrationGeneration,
  alternates: alternatesOf(choices, number, chosen.host, alternates),
});

const toSelection = ({ host, candidate, weight }: Choice): Selection => ({
  host,
  holdings: candidate.holdings,
  mappings: candidate.mappings,
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
  requireStay(deps.fleet, spec, same.host);
  const chosen = { host: same.host, holdings: [], mappings: new Map(), weight: 0 };
  return { chosen, alternates: [], generation: 0, migrationGeneration: 0 };
}

/** What no filter judges of a new image. @throws NO_VALID_HOST */
function requireStay({ index }: Fleet, spec: RequestSpec, host: HostFacts): void {
  const slot = index.slotOf(host.computeNodeId);
  const conflict = rebuildConflict(spec, (trait) => slot !== undefined && index.withTrait(trait).has(slot));
  if (conflict === undefined) return;
  throw E.NO_VALID_HOST({
    summary: conflict,
    hosts_considered: 1,
    refusals: refusalsFact([{ rule: "placement", reason: "IMAGE_CONFLICT", hosts: 1, facts: {} }]),
    details: conflict,
  });
}

/**
 * The request with what the views know of its source. @source scheduler.md §12, conductor-workflows.md §4
 */
function withSource(fleet: Fleet, request: SelectRequest): SelectRequest {
  const { source, purpose } = request.spec;
  if (source === undefined) return request;
  const host = fleet.hosts().get(source.computeNodeId);
  const slot = fleet.index.slotOf(source.computeNodeId);
  const mayStay =
    purpose !== "cold-migration" || (slot !== undefined && fleet.index.withTrait(SAME_HOST_TRAIT).has(slot));
  const hypervisor = host && { type: host.hypervisorType, version: host.hypervisorVersion };
  const known = { ...source, allowed: source.allowed && mayStay, hypervisor };
  return { ...request, spec: { ...request.spec, source: known } };
}

const SAME_HOST_TRAIT = "COMPUTE_SAME_HOST_COLD_MIGRATE";

/** Without the source's hypervisor every host is refused, for no fault of its own. */
function assertSource({ purpose, source, serverId }: RequestSpec): void {
  if (purpose === "live-migration" && source?.hypervisor === undefined)
    throw E.SOURCE_UNKNOWN({ server: serverId });
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
