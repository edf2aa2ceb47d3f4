import type {
  ActivateHandoverRequest,
  ActivateHandoverResponse,
  SourceCommit,
  StoredOperation,
} from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import { parseOperationName } from "../../model/operation-name.js";
import { durationMs } from "../../model/wire-time.js";
import { openSecrets } from "./store/acquire.js";
import type { StoreDeps } from "../store/deps.js";
import { activateHandover, dropDormant, dropLeft, findDormant, oldCopies } from "./store/handover.js";
import type { OldCopy } from "./store/handover.js";
import { toStored } from "./store/operation-rows.js";
import { getOperation } from "./store/read-operations.js";
import type { Store } from "../store/tables.js";
import { loadRecord } from "../servers/domain/records.js";
import { CellsErrors } from "../errors.js";
import type { Waker } from "../ports.js";
import type { Stores } from "../stores.js";

/**
 * Wakes a dormant copy whose source has handed the operation over to this database, then lets the source
 * forget its record. Whoever comes again finishes what is left.
 * @throws FENCE_LOST when the source has not handed over
 */
export async function activate(
  stores: Stores,
  deps: StoreDeps,
  ctx: Ctx,
  request: ActivateHandoverRequest,
): Promise<ActivateHandoverResponse> {
  const target = stores.cell(request.database);
  const moved = parseOperationName(request.name) ?? { serverId: "", operationId: "" };
  const committed =
    request.committed ?? (await askSource(stores, ctx, target, request.name, moved.operationId));
  if (committed === undefined) return { operation: undefined, instance: undefined };
  const waking = {
    cancelRequested: committed.cancelRequested,
    owner: request.owner,
    ownershipMs: durationMs(request.ownership),
  };
  const activated = await activateHandover(target, deps, ctx, request.name, waking);
  await dropLeft(stores.get(committed.database), ctx, target.name, [moved]);
  if (activated === undefined) return { operation: undefined, instance: undefined };
  const operation = toStored(activated.operation, { secrets: openSecrets(deps, activated.operation) });
  return {
    operation: request.owner === "" ? { ...operation, secrets: Buffer.alloc(0) } : operation,
    instance: loadRecord(activated.instance),
  };
}

/**
 * @returns undefined when there is no copy here (any more) @throws FENCE_LOST when its source has not handed
 *   over
 */
async function askSource(
  stores: Stores,
  ctx: Ctx,
  target: Store,
  name: string,
  operationId: string,
): Promise<SourceCommit | undefined> {
  const dormant = await findDormant(target, ctx, { operationId });
  if (dormant === undefined) return undefined;
  const original = await sourceOf(stores.get(dormant.sourceDatabase), ctx, name);
  if (original?.handedOverTo !== target.name) throw CellsErrors.FENCE_LOST({ operation: name });
  return { database: dormant.sourceDatabase, cancelRequested: original.cancelRequested };
}

/**
 * Copies that have been dormant for long: somebody has to ask their source. Those that were activated since
 * are forgotten here, many at a time, the source's record first: a boot does not wait for it.
 */
export async function overdueCopies(
  stores: Stores,
  deps: StoreDeps,
  ctx: Ctx,
  target: Store,
  olderThanMs: number,
): Promise<OldCopy[]> {
  const old = await oldCopies(target, deps, ctx, olderThanMs);
  const awake = old.filter(({ activated }) => activated);
  for (const source of new Set(awake.map(({ sourceDatabase }) => sourceDatabase))) {
    await dropLeft(
      stores.get(source),
      ctx,
      target.name,
      awake.filter(({ sourceDatabase }) => sourceDatabase === source),
    );
  }
  if (awake.length > 0)
    await dropDormant(
      target,
      ctx,
      awake.map(({ operationId }) => operationId),
    );
  return old.filter(({ activated }) => !activated);
}

async function sourceOf(source: Store, ctx: Ctx, name: string): Promise<StoredOperation | undefined> {
  try {
    return await getOperation(source, ctx, name);
  } catch (error) {
    if (error instanceof Error && "reason" in error && error.reason === "OPERATION_NOT_FOUND")
      return undefined;
    throw error;
  }
}

/** A hand-over takes milliseconds; one that takes this long was cut short. */
const CUT_SHORT_MS = 300;
const LOOK_AGAIN_MS = 5;

/** Finds servers and operations that are between two databases. */
export interface Awakening {
  /** Finishes the hand-over of a server to `target`, if there is one. */
  wake(ctx: Ctx, target: Store, serverId: string): Promise<void>;
  /**
   * Runs `fn` in the database where a server should be; when it is missing there, after its hand-over once
   * more.
   */
  whereAwake<T>(ctx: Ctx, target: Store, serverId: string, fn: (store: Store) => Promise<T>): Promise<T>;
}

/**
 * Servers and operations are in no database for a moment while they are handed over, or for long when a
 * conductor died there. Whoever misses one waits for the first, does it himself after the second, and looks
 * again; also when it was all over before he asked.
 * @cost one more query for what really does not exist
 */
export function awakening(stores: Stores, deps: StoreDeps, waker: Waker): Awakening {
  const wake: Awakening["wake"] = async (ctx, target, serverId) => {
    if (target.name === stores.global.name || serverId === "") return;
    const startMs = deps.clock.monotonicMs();
    let dormant = await findDormant(target, ctx, { serverId });
    if (dormant === undefined) return;
    const name = `operations/${dormant.serverId}/${dormant.operationId}`;
    const source = await sourceOf(stores.get(dormant.sourceDatabase), ctx, name);
    if (source?.handedOverTo !== target.name) return;
    while (dormant !== undefined && !dormant.activated && deps.clock.monotonicMs() - startMs < CUT_SHORT_MS) {
      await deps.clock.sleep(LOOK_AGAIN_MS, ctx.signal);
      dormant = await findDormant(target, ctx, { serverId });
    }
    if (dormant === undefined || dormant.activated) return;
    await activate(stores, deps, ctx, {
      database: target.name,
      name,
      owner: "",
      ownership: undefined,
      committed: undefined,
    });
    waker.wake(ctx, target.name, name);
  };
  return {
    wake,
    whereAwake: async (ctx, target, serverId, fn) => {
      try {
        return await fn(target);
      } catch (error) {
        if (
          !(error instanceof KilonovaError) ||
          (error.reason !== "OPERATION_NOT_FOUND" && error.reason !== "SERVER_NOT_FOUND")
        )
          throw error;
        await wake(ctx, target, serverId);
        return fn(target);
      }
    },
  };
}
