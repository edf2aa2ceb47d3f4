import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import type { Holding } from "../../placement/index/index.js";
import type { HostFacts } from "../domain/host-view.js";
import { claimTellings } from "../domain/placement-tellings.js";
import { keepsSource } from "../domain/request-spec.js";
import { E } from "../errors.js";
import type { Claimed, HeldClaim } from "../ports.js";
import type { Fleet } from "../views/fleet.js";
import { wantedResources } from "./decide.js";
import { mappingsOf } from "./mappings.js";
import type { SelectDeps, Selection, SelectRequest } from "./selection.js";

/** What the server holds when its host is claimed. */
export interface Start {
  /** "new" when it holds nothing. */
  readonly held: HeldClaim | "new";
  /** Whether the operation at hand has claimed that. */
  readonly own: boolean;
}

/**
 * What the server holds before a claim. Servers that are nowhere are not asked about: their claim says.
 * @throws NOTHING_TO_MOVE
 */
export async function startOf(
  { placement }: Pick<SelectDeps, "placement">,
  ctx: Ctx,
  { spec, operation }: SelectRequest,
): Promise<Start> {
  if (!keepsSource(spec.purpose) && spec.purpose !== "evacuation") return { held: "new", own: false };
  const held = await placement.held(ctx, spec.serverId);
  if (held === undefined) throw E.NOTHING_TO_MOVE({ server: spec.serverId });
  return { held, own: held.operation === operation };
}

/**
 * What the server holds after a search that found nothing. The operation may have claimed before and not have
 * learned of it: then its host looks full, for what fills it is that very claim.
 */
export async function startAgain(
  { placement }: Pick<SelectDeps, "placement">,
  ctx: Ctx,
  { spec, operation, fence }: SelectRequest,
  start: Start,
): Promise<Start> {
  if (start.held !== "new") return start;
  const held = await placement.held(ctx, spec.serverId);
  return held?.operation === operation && held.fence <= fence ? { held, own: true } : start;
}

/** Claims, counting it in the views from the moment it is sent. */
export async function claim(
  { fleet, placement }: Pick<SelectDeps, "fleet" | "placement">,
  ctx: Ctx,
  { spec, operation, fence, attempt, migrationId }: SelectRequest,
  holdings: readonly Holding[],
  { held }: Start,
): Promise<Claimed> {
  const own = fleet.claim(holdings);
  try {
    const claimed = await placement.claim(ctx, {
      serverId: spec.serverId,
      projectId: spec.projectId,
      userId: spec.userId,
      operation,
      fence,
      attempt,
      holdings,
      expected: held === "new" ? "new" : held.generation,
      migrationId,
      keepTrees:
        spec.purpose === "evacuation" && held !== "new" ? keptTrees(fleet, spec, held, holdings) : [],
    });
    own.confirm(claimed.revision);
    return claimed;
  } catch (error) {
    own.cancel();
    throw error;
  }
}

const rootIn = (fleet: Fleet, providerId: string): string =>
  fleet.index.get(providerId)?.rootId ?? providerId;

/**
 * Trees in which an evacuated server keeps what it holds: its source's, and storage that others share; not
 * those of the claim, nor of another host that an earlier try claimed.
 */
function keptTrees(
  fleet: Fleet,
  { source }: SelectRequest["spec"],
  held: HeldClaim,
  holdings: readonly Holding[],
): string[] {
  const claimed = new Set(holdings.map(({ providerId }) => rootIn(fleet, providerId)));
  const hosts = fleet.hosts();
  const kept = held.holdings
    .map(({ providerId }) => rootIn(fleet, providerId))
    .filter((root) => !claimed.has(root) && (root === source?.computeNodeId || !hosts.has(root)));
  return [...new Set(kept)];
}

/**
 * The claim that the operation holds already, as a selection under the present fence.
 * @returns undefined when its host is unknown, or excluded by now, or what is held is not what is asked for
 */
export async function answerHeld(
  deps: SelectDeps,
  ctx: Ctx,
  request: SelectRequest,
  held: HeldClaim,
): Promise<{ readonly selection: Selection; readonly claimed: Claimed } | undefined> {
  const { fleet, options } = deps;
  const { spec } = request;
  const away = spec.purpose === "evacuation" ? spec.source?.computeNodeId : undefined;
  const holdings = held.holdings.filter(({ providerId }) => rootIn(fleet, providerId) !== away);
  const host = hostOf(fleet, holdings);
  if (host === undefined || spec.excludedHosts.has(host.host.toLowerCase())) return undefined;
  const mappings = mappingsOf(fleet.index, wantedResources(spec, options), host.computeNodeId, holdings);
  if (mappings === undefined) return undefined;
  const claimed = await claim(deps, ctx, request, holdings, { held, own: true });
  return { selection: { host: fleet.view(host), holdings, mappings, weight: 0 }, claimed };
}

/** The host whose tree a claim is on. */
function hostOf(fleet: Fleet, holdings: readonly Holding[]): HostFacts | undefined {
  const hosts = fleet.hosts();
  for (const { providerId } of holdings) {
    const host = hosts.get(providerId) ?? hosts.get(rootIn(fleet, providerId));
    if (host !== undefined) return host;
  }
  return undefined;
}

/** A claim that placement refused. */
export interface Refused {
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
  readonly error: unknown;
}

/** Refusals that say something about this host only; the next one may do. */
const isOfHost = (reason: string): boolean => Object.hasOwn(claimTellings, reason);

/** @throws what is no matter of one host */
export function asRefusal(error: unknown, weight: number): Refused {
  if (!(error instanceof KilonovaError)) throw error;
  if (!isOfHost(error.reason) && error.reason !== "CONSUMER_GENERATION_CONFLICT") throw error;
  const { provider: _provider, consumer: _consumer, ...facts } = error.facts;
  return { reason: error.reason, facts: { ...facts, attempted_weight: weight.toFixed(3) }, error };
}
