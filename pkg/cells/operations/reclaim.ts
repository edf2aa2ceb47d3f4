import { Actor } from "../../../gen/kilonova/type/v1/actor.js";
import { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { mapLimit } from "../../kernel/concurrency.js";
import type { Ctx } from "../../kernel/ctx.js";
import { whenAborted } from "../../kernel/signals.js";
import { serviceActor } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import { newestVersion } from "../../model/operation-declaration.js";
import deleteServer from "../../model/operations/delete-server.js";
import type { Waker } from "../ports.js";
import type { QuotaDesk } from "../quota/domain/claims.js";
import { dueForReclaim } from "../servers/store/soft-deleted.js";
import type { SoftDeleted } from "../servers/store/soft-deleted.js";
import type { StoreDeps } from "../store/deps.js";
import type { Store } from "../store/tables.js";
import { acceptOperation } from "./store/accept-operation.js";

/** What reclaiming needs besides a cell's database. */
export interface ReclaimDeps extends StoreDeps {
  readonly desk: QuotaDesk;
  readonly waker: Waker;
}

const AT_ONCE = 4;

/** How much one turn does; what is left is the next turn's. */
export interface Bounds {
  /** Servers of a page. */
  readonly page: number;
  readonly pages: number;
}

const BOUNDS: Bounds = { page: 50, pages: 10 };

/** How a turn ended. */
export interface Turn {
  /** Servers whose deletion it began. */
  readonly begun: number;
  /** Where the next turn goes on; undefined for the oldest. */
  readonly after: SoftDeleted | undefined;
}

/**
 * Begins the deletion for good of servers that have been SOFT_DELETED for longer than the interval, the
 * oldest first. Repeatable, and may run anywhere at once: a deletion is accepted only on the server as it was
 * found, so that it begins once, and never on one that was restored meanwhile. What cannot be deleted now
 * does not keep the others waiting.
 * @param after  where the turn before ended
 * @cost one statement without work; at most 500 servers a turn, whatever the cell holds
 */
export async function reclaimDeleted(
  store: Store,
  deps: ReclaimDeps,
  ctx: Ctx,
  after?: SoftDeleted,
  { page: limit, pages }: Bounds = BOUNDS,
): Promise<Turn> {
  const { clock, reclaimIntervalS = 0 } = deps;
  if (reclaimIntervalS <= 0) return { begun: 0, after: undefined };
  const before = clock.now() - BigInt(reclaimIntervalS) * 1_000_000n;
  let begun = 0;
  let last = after;
  for (let page = 0; page < pages; page++) {
    const due = await dueForReclaim(store, ctx, { before, after: last, limit });
    const done = await mapLimit(due, AT_ONCE, (one) => reclaim(store, deps, ctx, one));
    begun += done.filter(Boolean).length;
    if (due.length < limit) return { begun, after: undefined };
    last = due.at(-1);
  }
  return { begun, after: last };
}

/**
 * Begins the deletion of one server as it was found.
 * @returns whether this call began it; false also for one that has changed since
 */
export async function reclaim(
  store: Store,
  deps: ReclaimDeps,
  ctx: Ctx,
  { id, generation }: SoftDeleted,
): Promise<boolean> {
  // Each has an id of its own in its server's timeline, as if somebody had asked.
  const one = { ...ctx, requestId: `req-${deps.ids.uuid()}` };
  const request = AcceptOperationRequest.fromPartial({
    database: store.name,
    serverId: id,
    actor: Actor.fromPartial({ ...serviceActor("cells"), roles: [] }),
    kind: deleteServer.kind,
    kindVersion: newestVersion(deleteServer),
    bypassLock: true,
    expectedGeneration: generation,
  });
  try {
    const { operation, replayed } = await acceptOperation(store, deps, one, request, deps.desk);
    if (replayed) return false;
    deps.waker.wake(one, store.name, operation.name);
    one.log.info("cells.server.reclaimed", { instanceUuid: id, operation: operation.name });
    return true;
  } catch (error) {
    if (ctx.signal.aborted) throw error;
    // Restored, changed, deleted or moved since: then it is not ours to delete, or another turn finds it.
    if (!isOvertaken(error)) ctx.log.warn("cells.server.unreclaimed", { instanceUuid: id, error });
    return false;
  }
}

const OVERTAKEN: ReadonlySet<string> = new Set(["GENERATION_CONFLICT", "SERVER_NOT_FOUND", "SERVER_MOVED"]);

const isOvertaken = (error: unknown): boolean =>
  error instanceof KilonovaError && OVERTAKEN.has(error.reason);

/** Longest pause between two turns: as long as Nova's. */
const LONGEST_MS = 60_000;
const SHORTEST_MS = 1_000;

/** A tenth of the interval, so that short ones are kept to as well. */
const pauseMs = (reclaimIntervalS: number): number =>
  Math.min(LONGEST_MS, Math.max(SHORTEST_MS, reclaimIntervalS * 100));

/** Reclaims until the context ends. Where deleted servers are not kept it reads nothing. */
export const reclaimingTask =
  (store: Store, deps: ReclaimDeps) =>
  async (ctx: Ctx): Promise<void> => {
    const { clock, reclaimIntervalS = 0 } = deps;
    if (reclaimIntervalS <= 0) return untilAborted(ctx);
    for (let after: SoftDeleted | undefined; !ctx.signal.aborted;) {
      await clock.sleep(pauseMs(reclaimIntervalS), ctx.signal);
      ({ after } = await reclaimDeleted(store, deps, ctx, after));
    }
  };

const untilAborted = ({ signal }: Ctx): Promise<void> =>
  new Promise((resolve) => void whenAborted(signal, resolve));
