import { sql } from "../../store/sql.js";
import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { KilonovaError } from "../../../kernel/errors.js";
import { formOf } from "../../../model/operation-declaration.js";
import type { Holding } from "../../../model/operation-declaration.js";
import { violates } from "../../../platform/db/index.js";
import { CellsErrors } from "../../errors.js";
import { sameHolding } from "../../quota/domain/claims.js";
import type { QuotaClaim, QuotaDesk, QuotaWish } from "../../quota/domain/claims.js";
import { isVoid } from "../../quota/store/claims.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { numbersFor, rowsFor } from "../../servers/store/server-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import type { InstanceRow, OperationRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";
import { requireFit, requireGeneration } from "../domain/acceptance.js";
import { acceptedChange } from "../domain/accepted-change.js";
import { callOf, makesMigration, withEndedMigration } from "../domain/asked-operation.js";
import { deferredOr } from "../domain/deferral.js";
import {
  AT_ONCE,
  LIFE,
  inTheLaneOf,
  isAnswer,
  isBehind,
  mindsHalted,
  placeAmong,
  placeBehind,
  placeInLife,
  placeOverAll,
  requireCell,
  requireNoneHalted,
  requireOpenLanes,
  waitsForOpenLanes,
} from "../domain/lanes.js";
import type { LanePlace } from "../domain/lanes.js";
import { toStored } from "../domain/operation-rows.js";
import { tokenUse } from "../domain/token-use.js";
import { requireCapability } from "./capability.js";
import { replayOf } from "./client-tokens.js";
import { haltedOn, liveBeside, passTurns, remainsOn } from "./lanes.js";
import { isLiveWord, operationColumns, operationIdOf } from "./owned-operation.js";
import { storeAccepted, storeInstant } from "./store-accepted.js";
import type { StoredAcceptance } from "./store-accepted.js";

export interface Accepted {
  readonly operation: StoredOperation;
  readonly replayed: boolean;
}

type LockedInstance = InstanceRow & { readonly project_id: string; readonly deleted: boolean };

/** An attempt that wrote nothing, because it wants quota first. */
interface Wanting {
  readonly wants: QuotaWish;
}

/**
 * Accepts an operation on an instance as its kind declares: token, state, lock, capability of the host,
 * mutual exclusion in its lane, changes of the server and its rows, migration record and action in one
 * transaction. One that pre-empts takes its lane, or all of them, over: the victims end at once and their
 * steps become the clean-up's input. One that waits for its turn is not ready until then. An instant one is
 * done with it.
 *
 * Quota lies in another database. It is taken under the operation's id once nothing else is in the way, and
 * the acceptance is attempted again. Who dies in between leaves a claim without an operation, which
 * `settleClaims` finds.
 *
 * @throws UNKNOWN_KIND, SERVER_NOT_FOUND, SERVER_MOVED, INVALID_STATE, INSTANCE_LOCKED, NOT_READY,
 *   CAPABILITY_MISSING, OPERATION_IN_PROGRESS, TOKEN_REUSED, GENERATION_CONFLICT, QUOTA_EXCEEDED,
 *   MIGRATION_NOT_FOUND;
 *   INVALID_ARGUMENT for a change that it may not make; what `planChange` throws
 */
export async function acceptOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: AcceptOperationRequest,
  desk: QuotaDesk,
): Promise<Accepted> {
  const more = makesMigration(deps.operations, request) ? 1 : 0;
  const numbers = await numbersFor(store, ctx, request.change, more);
  let claim: QuotaClaim | undefined;
  for (;;) {
    const outcome = await attempt(store, deps, ctx, request, { desk, claim, numbers });
    if (!("wants" in outcome)) {
      if (claim !== undefined && isOver(outcome)) await desk.settle(ctx, claim.operationId);
      return outcome;
    }
    claim = { ...outcome.wants, operationId: deps.ids.uuid(), database: store.name };
    await desk.take(ctx, claim);
  }
}

/** An instant operation keeps what was taken for it. Who dies before that leaves it to `settleClaims`. */
const isOver = ({ operation, replayed }: Accepted): boolean =>
  !replayed && operation.state === OperationState.OPERATION_STATE_SUCCEEDED;

/** What an attempt has at hand. */
interface AtHand {
  readonly desk: QuotaDesk;
  /** Quota taken for it. */
  readonly claim: QuotaClaim | undefined;
  /** Numbers for migrations. */
  readonly numbers: readonly bigint[];
}

/** One attempt. Unless it is stored, or may be, its claim is given back. */
async function attempt(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: AcceptOperationRequest,
  { desk, claim, numbers }: AtHand,
): Promise<Accepted | Wanting> {
  const once = (): Promise<Accepted | Wanting> =>
    store.db.write(ctx, "operations.accept", (tx) =>
      accept(store, deps, ctx, tx, request, { claim, numbers }),
    );
  const giveBack = async (): Promise<void> => {
    if (claim !== undefined) await desk.giveBack(ctx, claim.operationId);
  };
  try {
    const outcome = await once().catch((error: unknown) => {
      // The same token came twice at once: now the other one is stored, and answers.
      if (violates(error, "client_token_once")) return once();
      throw error;
    });
    if ("wants" in outcome || outcome.replayed) await giveBack();
    return outcome;
  } catch (error) {
    // A refusal has written nothing. Whether anything else has, is found out by `settleClaims`.
    if (isRefusal(error)) await giveBack();
    throw error;
  }
}

/** The domain of this service's refusals. */
const CELLS = CellsErrors.NOT_READY({ server: "" }).domain;

/** A change that may not be made is refused in everybody's words. */
const isRefusal = (error: unknown): boolean =>
  error instanceof KilonovaError && (error.domain === CELLS || error.kind === "invalid");

async function accept(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  tx: Tx,
  asked: AcceptOperationRequest,
  { claim, numbers }: Omit<AtHand, "desk">,
): Promise<Accepted | Wanting> {
  const instance = await lockInstance(store, tx, asked);
  const record = loadRecord(instance);
  const server = serverOf(record);
  const { request, declaration } = deferredOr(deps, asked, server);
  const form = formOf(declaration, request.input);
  const token = tokenUse(request);
  const replay = (await replayOf(store, tx, token))?.[0];
  if (replay !== undefined)
    return { operation: toStored(await readOperation(store, tx, replay)), replayed: true };
  // A repeated call is answered also when what it did was to delete the server.
  if (instance.deleted) throw CellsErrors.SERVER_NOT_FOUND({ server: request.serverId });
  const running = await runningOn(store, tx, instance);
  if (isAnswer(form, request.kind, running)) return { operation: toStored(running), replayed: true };
  requireGeneration(server, request);
  requireFit(record, declaration, form, request.bypassLock);
  if (mindsHalted(declaration, form))
    requireNoneHalted(
      deps.operations,
      request.serverId,
      declaration,
      await haltedOn(store, tx, request.serverId),
    );
  await requireCapability(store, tx, declaration, server);
  const call = callOf(server, declaration, request);
  const change = acceptedChange(declaration, form, call, request.change);
  const id = claim?.operationId ?? deps.ids.uuid();
  const known = await rowsFor(store, deps, tx, record, id, change);
  const acceptance: StoredAcceptance = {
    request,
    declaration,
    form,
    record,
    owner: instance.current_operation,
    fence: instance.operation_fence,
    token,
    id,
    change,
    known,
    numbers,
  };
  const isInstant = declaration.instant !== undefined;
  if (isInstant) requireCell(store.name, request.serverId);
  const place =
    isInstant && form.contention !== "pre-empts-all"
      ? AT_ONCE
      : await placeOf(store, deps, tx, acceptance, running);
  const target = declaration.quota?.(withEndedMigration(declaration, call, known.migrations));
  if (target !== undefined && !(await isTaken(store, tx, target, claim))) {
    const { projectId, userId } = server;
    return { wants: { serverId: request.serverId, projectId, userId, target } };
  }
  const write = isInstant ? storeInstant : storeAccepted;
  return { operation: toStored(await write(store, deps, ctx, tx, acceptance, place)), replayed: false };
}

/**
 * Whether quota was taken for what the server is to hold, and nobody has found the claim abandoned meanwhile.
 */
async function isTaken(
  store: Store,
  tx: Tx,
  target: Holding,
  claim: QuotaClaim | undefined,
): Promise<boolean> {
  if (claim === undefined || !sameHolding(claim.target, target)) return false;
  return !(await isVoid(store, tx, claim.operationId));
}

/** The operation that owns the instance now. */
async function runningOn(store: Store, tx: Tx, instance: LockedInstance): Promise<OperationRow | undefined> {
  if (instance.current_operation === "") return undefined;
  const owner = await readOperation(store, tx, instance.current_operation);
  return isLiveWord(owner.state) ? owner : undefined;
}

/**
 * Finds an operation's place in its lane.
 * @param running  what runs in the lane "life"
 * @throws OPERATION_IN_PROGRESS; NOT_READY in a lane beside "life" while the server has no cell: what waits
 *   there would have to move with it
 * @cost one statement for those in other lanes, two for those that take over all lanes, else none; more where
 *   somebody waits for what has ended
 */
async function placeOf(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  { request: { serverId }, declaration: { lane }, form, record, fence }: StoredAcceptance,
  running: OperationRow | undefined,
): Promise<LanePlace> {
  const { operations } = deps;
  const { contention } = form;
  if (lane === LIFE && contention !== "pre-empts-all") return placeInLife(serverId, running, form, []);
  if (lane === LIFE) {
    const others = await liveBeside(store, tx, serverId);
    return placeOverAll(serverId, running, form, others, await remainsOn(store, tx, serverId));
  }
  const busy = inTheLaneOf(serverId);
  if (waitsForOpenLanes(operations, form, running)) {
    requireCell(store.name, serverId);
    return placeBehind(await liveBeside(store, tx, serverId), lane, fence + 1, busy);
  }
  requireOpenLanes(operations, store.name, serverId, running);
  let beside = await liveBeside(store, tx, serverId);
  // What they waited for was ended by a process of an older version, which knows of nobody who waits so.
  if (beside.some(isBehind)) {
    await passTurns(store, deps, tx, { server_id: serverId, lane: LIFE }, record, deps.clock.now());
    beside = await liveBeside(store, tx, serverId);
  }
  return placeAmong(beside, { lane, contention }, fence + 1, busy);
}

async function lockInstance(store: Store, tx: Tx, request: AcceptOperationRequest): Promise<LockedInstance> {
  const { rows } =
    await sql<LockedInstance>`SELECT project_id, deleted_at IS NOT NULL AS deleted, generation, current_operation, operation_fence, leaving_to, number, server, details, user_data
    FROM ${store.t.instance} WHERE id = ${request.serverId} FOR UPDATE`.execute(tx);
  const row = rows[0];
  if (row === undefined || (request.projectId !== "" && row.project_id !== request.projectId))
    throw CellsErrors.SERVER_NOT_FOUND({ server: request.serverId });
  if (row.leaving_to !== "") throw CellsErrors.SERVER_MOVED({ server: request.serverId });
  return row;
}

export async function readOperation(store: Store, tx: Tx, name: string): Promise<OperationRow> {
  const { rows } =
    await sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o WHERE o.id = ${operationIdOf(name)}`.execute(
      tx,
    );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: name });
  return row;
}
