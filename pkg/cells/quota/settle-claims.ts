import type { Ctx } from "../../kernel/ctx.js";
import { mapLimit } from "../../kernel/concurrency.js";
import { operationStateOf } from "../../model/operation-states.js";
import type { Clock, Instant } from "../../kernel/time.js";
import type { StoreDeps } from "../store/deps.js";
import type { Stores } from "../stores.js";
import type { Store } from "../store/tables.js";
import { outcomeOf } from "./domain/claims.js";
import type { Outcome, QuotaDesk } from "./domain/claims.js";
import {
  fatesOf,
  forgetVoid,
  openClaims,
  openClaimsOf,
  settleClaim,
  takeClaim,
  voidOperation,
} from "./store/claims.js";
import type { Fate, OpenClaim } from "./store/claims.js";
import type { DefaultLimits } from "./store/quota.js";

/** Takes quota in the global database for operations that are accepted elsewhere. */
export const quotaDesk = (
  stores: Stores,
  deps: Pick<StoreDeps, "clock">,
  defaults: DefaultLimits,
): QuotaDesk => ({
  take: async (ctx, claim) => {
    await settleBefore(stores, deps, ctx, claim.serverId);
    await takeClaim(stores.global, deps, ctx, claim, defaults);
  },
  giveBack: (ctx, operationId) => settleClaim(stores.global, ctx, operationId, false),
  // What is stored is done: an answer that it failed would be wrong, and `settleClaims` finds the claim.
  settle: (ctx, operationId) =>
    settleClaim(stores.global, ctx, operationId, true).catch((error: unknown) =>
      ctx.log.warn("quota.claim.unsettled", { operation: operationId, error }),
    ),
});

const PAGE = 500;
const CELLS_AT_ONCE = 8;
/** Much longer than an acceptance may take. */
const ABANDONED_MS = 60_000n;
/** Much longer than any call lives. */
const FORGOTTEN_MS = 3_600_000n;

/**
 * Settles the claims whose operations have ended, or were never accepted. What ends in this process is
 * settled at once; this is for what died in between. Repeatable, and may run anywhere at once. Claims of a
 * database that does not answer wait.
 * @param abandonedMs  age from which a claim without an operation counts as abandoned
 */
export async function settleClaims(
  stores: Stores,
  deps: Pick<StoreDeps, "clock">,
  ctx: Ctx,
  abandonedMs = ABANDONED_MS,
): Promise<void> {
  const now = deps.clock.now();
  let after: OpenClaim | undefined;
  do {
    const page: OpenClaim[] = await openClaims(stores.global, ctx, after, PAGE);
    await settlePage(stores, deps, ctx, page, now - abandonedMs * 1000n);
    after = page.length === PAGE ? page.at(-1) : undefined;
  } while (after !== undefined);
}

/**
 * Settles what a server's ended operations have left open, before another one takes quota: a claim says what
 * the server holds then, so that one which is settled after a later one would take that back.
 * @cost one statement where nothing is open
 */
async function settleBefore(
  stores: Stores,
  deps: Pick<StoreDeps, "clock">,
  ctx: Ctx,
  serverId: string,
): Promise<void> {
  const left = await openClaimsOf(stores.global, ctx, serverId, PAGE);
  if (left.length > 0) await settlePage(stores, deps, ctx, left, deps.clock.now() - ABANDONED_MS * 1000n);
}

async function settlePage(
  stores: Stores,
  deps: Pick<StoreDeps, "clock">,
  ctx: Ctx,
  page: readonly OpenClaim[],
  abandoned: Instant,
): Promise<void> {
  for (const database of new Set(page.map((claim) => claim.database))) {
    const claims = page.filter((claim) => claim.database === database);
    try {
      await settleIn(stores, deps, ctx, database, claims, abandoned);
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      ctx.log.warn("cells.quota.unsettled", { database, error });
    }
  }
}

/** @param abandoned  claims without an operation that are older are given back */
async function settleIn(
  stores: Stores,
  deps: Pick<StoreDeps, "clock">,
  ctx: Ctx,
  database: string,
  claims: readonly OpenClaim[],
  abandoned: Instant,
): Promise<void> {
  const store = stores.get(database);
  const ids = claims.map(({ operationId }) => operationId);
  const fates = new Map(await fatesOf(store, ctx, ids));
  const missing = claims.filter((one) => !fates.has(one.operationId) && one.createdAt <= abandoned);
  for (const [id, fate] of await travelledFates(stores, ctx, store, missing)) fates.set(id, fate);
  for (const { operationId, createdAt } of claims) {
    const fate = fates.get(operationId);
    const ended =
      fate === undefined
        ? abandonedFate(createdAt <= abandoned && (await voidOperation(store, deps, ctx, operationId)))
        : await outcome(stores, ctx, operationId, fate);
    if (ended !== undefined) await settleClaim(stores.global, ctx, operationId, ended);
  }
}

/** What became of operations that are in another database by now: they go along when their server moves. */
async function travelledFates(
  { all }: Stores,
  ctx: Ctx,
  store: Store,
  missing: readonly OpenClaim[],
): Promise<(readonly [string, Fate])[]> {
  if (missing.length === 0) return [];
  const ids = missing.map(({ operationId }) => operationId);
  const others = all.filter((other) => other !== store);
  return (
    await mapLimit(others, CELLS_AT_ONCE, async (other) => [...(await fatesOf(other, ctx, ids))])
  ).flat();
}

/** An operation that will never be did not end well; of one that may yet come nothing is known. */
const abandonedFate = (never: boolean): false | undefined => (never ? false : undefined);

/** How an operation ended, wherever it lives on; undefined while it has not ended. */
async function outcome(
  stores: Stores,
  ctx: Ctx,
  operationId: string,
  { state, handedOverTo, held }: Fate,
): Promise<Outcome | undefined> {
  if (handedOverTo === "") return outcomeOf(operationStateOf(state), held);
  // A copy that does not wake yet is no end.
  const there = (await fatesOf(stores.get(handedOverTo), ctx, [operationId])).get(operationId);
  return there && outcome(stores, ctx, operationId, there);
}

/** How often claims are looked at. */
const EVERY_MS = 10_000;
/** Looks between two times at which what was kept from being accepted is forgotten. */
const LOOKS = 360;

/** Settles claims until the context ends. While there are none it reads, and writes nothing. */
export const settlingTask =
  (stores: Stores, deps: { readonly clock: Clock }) =>
  async (ctx: Ctx): Promise<void> => {
    for (let look = 0; !ctx.signal.aborted; look++) {
      await settleClaims(stores, deps, ctx);
      const forgotten = deps.clock.now() - FORGOTTEN_MS * 1000n;
      if (look % LOOKS === LOOKS - 1) for (const store of stores.all) await forgetVoid(store, ctx, forgotten);
      await deps.clock.sleep(EVERY_MS, ctx.signal);
    }
  };
