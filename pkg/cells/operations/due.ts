import { Actor } from "../../../gen/kilonova/type/v1/actor.js";
import { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { mapLimit } from "../../kernel/concurrency.js";
import type { Ctx } from "../../kernel/ctx.js";
import { whenAborted } from "../../kernel/signals.js";
import { serviceActor } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import { anyOperation, newestVersion } from "../../model/operation-declaration.js";
import type { OperationDeclaration } from "../../model/operation-declaration.js";
import confirmServerResize from "../../model/operations/confirm-server-resize.js";
import deleteServer from "../../model/operations/delete-server.js";
import offloadServer from "../../model/operations/offload-server.js";
import type { Waker } from "../ports.js";
import type { QuotaDesk } from "../quota/domain/claims.js";
import { dueServers } from "../servers/store/due-servers.js";
import type { DueServer, WaitingState } from "../servers/store/due-servers.js";
import { finishedMove } from "../servers/store/finished-move.js";
import type { StoreDeps } from "../store/deps.js";
import type { Store } from "../store/tables.js";
import { acceptOperation } from "./store/accept-operation.js";

/** What the cloud does by itself with servers that have been in a state for a while. */
export interface DueWork {
  readonly declaration: OperationDeclaration;
  readonly state: WaitingState;
  /** For how long, in seconds. */
  readonly afterS: number;
  /** How long a server must have been left alone before it is tried again, in seconds. */
  readonly againAfterS: number;
  /**
   * The encoded input for one server; absent: the empty one. @returns undefined when there is nothing to be
   * done with it after all
   */
  readonly inputOf?: (store: Store, ctx: Ctx, serverId: string) => Promise<Uint8Array | undefined>;
}

/** Deletes for good what can be restored. @param intervalS  0: never */
export const reclaiming = (intervalS: number): DueWork | undefined =>
  intervalS <= 0
    ? undefined
    : {
        declaration: anyOperation(deleteServer),
        state: VmState.VM_STATE_SOFT_DELETED,
        afterS: intervalS,
        againAfterS: 0,
      };

/** Takes shelved servers off their hosts. @param seconds  -1: never */
export const offloading = (seconds: number): DueWork | undefined =>
  seconds < 0
    ? undefined
    : {
        declaration: anyOperation(offloadServer),
        state: VmState.VM_STATE_SHELVED,
        afterS: seconds,
        // Its host may be down for long.
        againAfterS: 60,
      };

/** Confirms resizes and cold migrations that nobody has reverted. @param windowS  0: never */
export const confirming = (windowS: number): DueWork | undefined =>
  windowS <= 0
    ? undefined
    : {
        declaration: anyOperation(confirmServerResize),
        state: VmState.VM_STATE_RESIZED,
        afterS: windowS,
        // The host that it has left may be down for long.
        againAfterS: 60,
        inputOf: async (store, ctx, serverId) => {
          const migrationId = await finishedMove(store, ctx, serverId);
          return migrationId === undefined ? undefined : EndMoveInput.encode({ migrationId }).finish();
        },
      };

/** What it needs besides a cell's database. */
export interface DueDeps extends StoreDeps {
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
  /** Operations that it began. */
  readonly begun: number;
  /** Where the next turn goes on; undefined for the oldest. */
  readonly after: DueServer | undefined;
}

/**
 * Begins the operation for servers that are due, the oldest first. Repeatable, and may run anywhere at once:
 * it is accepted only on the server as it was found, so that it begins once, and never on one that has
 * changed meanwhile. What is refused now does not keep the others waiting.
 * @param after  where the turn before ended
 * @cost one statement without work; at most 500 servers a turn, whatever the cell holds
 */
export async function beginDue(
  store: Store,
  deps: DueDeps,
  work: DueWork,
  ctx: Ctx,
  after?: DueServer,
  { page: limit, pages }: Bounds = BOUNDS,
): Promise<Turn> {
  const { state, afterS, againAfterS } = work;
  const now = deps.clock.now();
  const ago = (seconds: number): bigint => now - BigInt(seconds) * 1_000_000n;
  let begun = 0;
  let last = after;
  for (let page = 0; page < pages; page++) {
    const query = { state, before: ago(afterS), quietSince: ago(againAfterS), after: last, limit };
    const due = await dueServers(store, ctx, query);
    const done = await mapLimit(due, AT_ONCE, (one) => beginOne(store, deps, work, ctx, one));
    begun += done.filter(Boolean).length;
    if (due.length < limit) return { begun, after: undefined };
    last = due.at(-1);
  }
  return { begun, after: last };
}

/**
 * Begins the operation for one server as it was found.
 * @returns whether this call began it; false also for one that has changed since
 */
export async function beginOne(
  store: Store,
  deps: DueDeps,
  { declaration, inputOf }: Pick<DueWork, "declaration" | "inputOf">,
  ctx: Ctx,
  { id, generation }: DueServer,
): Promise<boolean> {
  const { kind } = declaration;
  // Each has an id of its own in its server's timeline, as if somebody had asked.
  const one = { ...ctx, requestId: `req-${deps.ids.uuid()}` };
  const input = inputOf === undefined ? new Uint8Array() : await inputOf(store, one, id);
  if (input === undefined) return false;
  const request = AcceptOperationRequest.fromPartial({
    database: store.name,
    serverId: id,
    actor: Actor.fromPartial({ ...serviceActor("cells"), roles: [] }),
    kind,
    kindVersion: newestVersion(declaration),
    input: Buffer.from(input),
    bypassLock: true,
    expectedGeneration: generation,
  });
  try {
    const { operation, replayed } = await acceptOperation(store, deps, one, request, deps.desk);
    if (replayed) return false;
    deps.waker.wake(one, store.name, operation.name);
    one.log.info("cells.due.begun", { kind, instanceUuid: id, operation: operation.name });
    return true;
  } catch (error) {
    if (ctx.signal.aborted) throw error;
    // Restored, changed, deleted or moved since: then it is not due any more, or another turn finds it.
    if (!isOvertaken(error)) ctx.log.warn("cells.due.refused", { kind, instanceUuid: id, error });
    return false;
  }
}

const OVERTAKEN: ReadonlySet<string> = new Set(["GENERATION_CONFLICT", "SERVER_NOT_FOUND", "SERVER_MOVED"]);

const isOvertaken = (error: unknown): boolean =>
  error instanceof KilonovaError && OVERTAKEN.has(error.reason);

/** Longest pause between two turns: as long as Nova's. */
const LONGEST_MS = 60_000;
const SHORTEST_MS = 1_000;

/** A tenth of the time, so that short ones are kept to as well. */
const pauseMs = ({ afterS }: DueWork): number => Math.min(LONGEST_MS, Math.max(SHORTEST_MS, afterS * 100));

/** Begins what is due until the context ends. @param work  undefined: nothing ever, and nothing is read */
export const dueTask =
  (store: Store, deps: DueDeps, work: DueWork | undefined) =>
  async (ctx: Ctx): Promise<void> => {
    if (work === undefined) return untilAborted(ctx);
    for (let after: DueServer | undefined; !ctx.signal.aborted;) {
      await deps.clock.sleep(pauseMs(work), ctx.signal);
      ({ after } = await beginDue(store, deps, work, ctx, after));
    }
  };

const untilAborted = ({ signal }: Ctx): Promise<void> =>
  new Promise((resolve) => void whenAborted(signal, resolve));
