import { E } from "../errors.js";
import { orderFacts } from "./claim-order.js";
import type { AskedChange } from "./ledger-fit.js";
import type { ClaimKey, LedgerState } from "./ledger-types.js";
import type { Claim, Consumer, ConsumerClaim, Holding, TakeOver } from "./model.js";

/** What of a consumer is released. */
export interface ReleaseOptions {
  /** Leaves alone what another operation has claimed meanwhile. */
  readonly ownOnly: boolean;
  /** Providers whose trees are meant; none means everything. */
  readonly trees: readonly string[];
  /** Generation that the consumer must have, unless there is nothing to release. */
  readonly expected: number | "any";
}

/** What operations may do with allocations, each under its fence. */
export interface ClaimRules {
  /**
   * Makes take-overs and claims in the name of an operation, all or nothing.
   * @returns the generation now of each consumer named
   * @throws as PlacementService.ClaimAllocations says
   */
  claim(claim: Claim, key: ClaimKey): ReadonlyMap<string, number>;
  /**
   * Undoes a move: what the second consumer took over is the first one's again, instead of what that one
   * claimed. Claims of the operation for both come too late from now on.
   * @returns whether a move of the operation stood
   * @throws CLAIM_FENCED
   */
  revert(consumerId: string, takenBy: string, key: ClaimKey): boolean;
  /**
   * Removes what a consumer holds, or its part in some trees, and remembers whose claims come too late; no
   * provider's generation rises.
   * @returns whether there was anything
   * @throws as PlacementService.ReleaseAllocations says
   */
  release(consumerId: string, key: ClaimKey | undefined, options: ReleaseOptions): boolean;
}

export const claimRules = (state: LedgerState): ClaimRules => ({
  claim: ({ claims, takeOvers }, key) => {
    const named = [...takeOvers, ...claims].map(({ consumerId }) => consumerId);
    const sources = takeOvers.map(({ from }) => from);
    for (const ids of [named, sources]) assertDistinct(ids);
    for (const id of new Set([...named, ...sources])) {
      assertNotBuried(state, id, key);
      assertNotFenced(state, id, key);
    }
    const planned = [
      ...takeOvers.flatMap((one) => takeOverPlan(state, one, key, named)),
      ...claims.flatMap((one) => claimPlan(state, one, key)),
    ];
    state.move(planned, key, true);
    for (const id of named) state.stamp(id, key);
    return new Map(named.map((id) => [id, state.held(id)?.generation ?? 0]));
  },

  revert: (consumerId, takenBy, key) => {
    const [server, taker] = [state.held(consumerId), state.held(takenBy)];
    for (const id of [consumerId, takenBy]) assertNotFenced(state, id, key);
    for (const id of [consumerId, takenBy]) state.bury({ consumerId: id, ...key });
    if (taker === undefined || taker.claimOperation !== key.operation) return false;
    // Another operation has claimed for the server since: what it holds is that one's business.
    if (server !== undefined && !["", key.operation].includes(server.claimOperation)) return false;
    const anyway = { expected: "any", asked: [] } as const;
    // A server without anything is being deleted: nothing is given back to it.
    const back = server === undefined ? [] : [{ ...server, ...anyway, holdings: taker.holdings }];
    state.move([{ ...taker, ...anyway, holdings: [] }, ...back], undefined, true);
    return true;
  },

  release: (consumerId, key, { ownOnly, trees, expected }) => {
    if (key !== undefined) assertNotFenced(state, consumerId, key);
    const held = state.held(consumerId);
    const own = key !== undefined && held?.claimOperation === key.operation;
    const roots = new Set(trees.flatMap((id) => state.rootOf(id) ?? []));
    const isMeant = ({ providerId }: Holding): boolean =>
      trees.length === 0 || roots.has(state.rootOf(providerId) ?? "");
    const meant = held !== undefined && (own || !ownOnly || key === undefined) && held.holdings.some(isMeant);
    const change: AskedChange | undefined = meant
      ? { ...held, asked: [], expected, holdings: held.holdings.filter((one) => !isMeant(one)) }
      : undefined;
    if (change !== undefined) state.move([change], stampLeft(held, own), false);
    if (key !== undefined) state.bury({ consumerId, ...key });
    return meant;
  },
});

function assertDistinct(consumerIds: readonly string[]): void {
  const twice = consumerIds.find((id, number) => consumerIds.indexOf(id) !== number);
  if (twice !== undefined) throw E.CLAIM_INVALID({ consumer: twice, problem: "is named twice." });
}

/** What is left after a release is claimed as before, unless that claim was undone. */
const stampLeft = (held: Consumer | undefined, undone: boolean): ClaimKey | undefined =>
  held === undefined || undone || held.claimOperation === ""
    ? undefined
    : { operation: held.claimOperation, fence: held.claimFence };

function assertNotBuried(state: LedgerState, consumer: string, key: ClaimKey): void {
  const buried = state.buried(consumer, key.operation);
  if (buried === undefined || key.fence > buried) return;
  const { fence, attempt } = orderFacts(buried);
  throw E.CLAIM_TOMBSTONED({
    consumer,
    operation: key.operation,
    ...orderFacts(key.fence),
    undone_fence: fence,
    undone_attempt: attempt,
  });
}

function assertNotFenced(state: LedgerState, consumer: string, key: ClaimKey): void {
  const held = state.held(consumer);
  if (held === undefined || held.claimOperation !== key.operation || key.fence >= held.claimFence) return;
  const { fence, attempt } = orderFacts(held.claimFence);
  throw E.CLAIM_FENCED({
    consumer,
    operation: key.operation,
    ...orderFacts(key.fence),
    have_fence: fence,
    have_attempt: attempt,
  });
}

/** @returns nothing when this operation did it before, under whichever fence */
function takeOverPlan(
  state: LedgerState,
  { consumerId, consumerType, expected, from, expectedFrom }: TakeOver,
  key: ClaimKey,
  named: readonly string[],
): AskedChange[] {
  if (from === consumerId)
    throw E.CLAIM_INVALID({ consumer: consumerId, problem: "cannot take over from itself." });
  if (state.held(consumerId)?.claimOperation === key.operation) return [];
  const source = state.held(from);
  // What the operation claimed there itself is not what it began with.
  if (source === undefined || source.claimOperation === key.operation)
    throw E.NOTHING_TO_TAKE_OVER({ consumer: consumerId, from, operation: key.operation });
  const owner = { projectId: source.projectId, userId: source.userId };
  const taken = { consumerId, ...owner, consumerType, expected, asked: [], holdings: source.holdings };
  const emptied = { ...source, asked: [], holdings: [], expected: expectedFrom };
  return named.includes(from) ? [taken] : [taken, emptied];
}

/** @returns nothing when it is claimed already: only the fence grows */
function claimPlan(
  state: LedgerState,
  { keepTrees, ...change }: ConsumerClaim,
  key: ClaimKey,
): AskedChange[] {
  const held = state.held(change.consumerId);
  const kept = keptOf(state, change, keepTrees);
  const wanted = { ...change, asked: change.holdings, holdings: [...kept, ...change.holdings] };
  if (held === undefined || held.claimOperation !== key.operation) return [wanted];
  if (sameHoldings(held.holdings, wanted.holdings)) return [];
  // A new owner of the operation cannot know what its predecessor claimed, and a later attempt supersedes.
  return [key.fence > held.claimFence && change.expected === "new" ? { ...wanted, expected: "any" } : wanted];
}

function keptOf(
  state: LedgerState,
  { consumerId, holdings }: Pick<ConsumerClaim, "consumerId" | "holdings">,
  keepTrees: readonly string[],
): readonly Holding[] {
  if (keepTrees.length === 0) return [];
  const rootOf = (provider: string): string => {
    const root = state.rootOf(provider);
    if (root === undefined) throw E.PROVIDER_UNKNOWN({ provider });
    return root;
  };
  const roots = new Set(keepTrees.map(rootOf));
  const overlap = holdings.find(({ providerId }) => roots.has(rootOf(providerId)));
  if (overlap !== undefined)
    throw E.CLAIM_INVALID({
      consumer: consumerId,
      problem: `claims ${overlap.providerId} of a tree that it keeps.`,
    });
  return (state.held(consumerId)?.holdings ?? []).filter(({ providerId }) => roots.has(rootOf(providerId)));
}

/** Whether both hold the same amounts; order and empty entries do not matter. */
function sameHoldings(a: readonly Holding[], b: readonly Holding[]): boolean {
  const flatA = flatten(a),
    flatB = flatten(b);
  return flatA.size === flatB.size && [...flatA].every(([key, amount]) => flatB.get(key) === amount);
}

const flatten = (holdings: readonly Holding[]): Map<string, number> =>
  new Map(
    holdings.flatMap(({ providerId, resources }) =>
      [...resources].map(([resourceClass, amount]) => [`${providerId} ${resourceClass}`, amount] as const),
    ),
  );
