import { sql } from "../../store/sql.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import { OperationError, OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type {
  CommitStepRequest,
  CommitStepResponse,
  StepRecord,
  StoredSignal,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { resultOf } from "../../../model/operation-declaration.js";
import { isLive, operationStateWord } from "../../../model/operation-states.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { NO_ROWS, planChange, touchesRows } from "../../servers/domain/plan-change.js";
import type { ChangedServer, KnownRows } from "../../servers/domain/plan-change.js";
import {
  endingRows,
  numbersFor,
  rowParts,
  rowsFor,
  userDataColumn,
} from "../../servers/store/server-rows.js";
import { endedWell } from "../../quota/domain/claims.js";
import { encoded } from "../../domain/bytes.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import type { InstanceColumns } from "../../servers/domain/instance-columns.js";
import { LIFE } from "../domain/lanes.js";
import { goesOnAt } from "../domain/progress.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments, changing, onlyWhere } from "../../store/fragments.js";
import type { ConditionalPart } from "../../store/fragments.js";
import { nextInLane } from "./lanes.js";
import { withOtherOperationFields } from "./operation-rows.js";
import { outboxPart } from "../../store/outbox.js";
import type { OutboxRow } from "../../store/outbox.js";
import {
  holderOf,
  instanceOf,
  joinRows,
  lockOwned,
  operationIdOf,
  pendingSignals,
} from "./owned-operation.js";
import type { InstanceRow, JoinedRow, OperationRow } from "../../store/rows.js";
import type { Store } from "../../store/tables.js";
import { timelineParts } from "./timeline.js";

/** A stored commit, the operation of its lane whose turn it is now, and quota to be settled. */
export interface Committed {
  readonly response: CommitStepResponse;
  readonly next: string | undefined;
  /** Set when an operation has ended that may have taken quota. */
  readonly quota?: { readonly operationId: string; readonly well: boolean } | undefined;
}

/**
 * Stores progress of an operation with everything that goes with it (instance, timeline, consumed signals,
 * outbox) in one transaction, conditional on the fence. The end of one in a lane other than "life" gives the
 * turn to the next of its lane in the same transaction.
 * @throws FENCE_LOST; INVALID_ARGUMENT when another lane than "life" would change the task state, or an
 *   operation that is about no server a server
 * @cost one round trip when this process stored the operation last and the change touches no rows; else five:
 *   begin, lock, signals, write, commit, and those of `rowsFor`
 */
export async function commitStep(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: CommitStepRequest,
): Promise<Committed> {
  const known = store.recent.get(operationIdOf(request.name));
  // Parking depends on signals that may have arrived, and who follows in a lane on who waits there; that is
  // decided under the lock.
  if (
    known !== undefined &&
    request.state !== OperationState.OPERATION_STATE_PARKED &&
    (known.lane === LIFE || isLive(request.state)) &&
    !touchesRows(request.change) &&
    BigInt(known.fence) === request.fence
  ) {
    const response = await commitUnchanged(store, deps, ctx, request, known);
    if (response !== undefined)
      return { response, next: undefined, quota: endedQuota(deps, known, request.state) };
    store.recent.drop(known.id);
  }
  return commitLocked(store, deps, ctx, request);
}

/** What is to be settled with an operation's end. */
export function endedQuota(
  { operations }: StoreDeps,
  { id, kind }: OperationRow,
  state: OperationState,
): Committed["quota"] {
  const well = operations.find(kind)?.quota === undefined ? undefined : endedWell(state);
  return well === undefined ? undefined : { operationId: id, well };
}

/**
 * The commit when nobody else has touched operation and instance since `row`: one statement that fails as a
 * whole otherwise.
 */
async function commitUnchanged(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: CommitStepRequest,
  row: JoinedRow,
): Promise<CommitStepResponse | undefined> {
  const { t } = store;
  const plan = planOf(store, deps, request, row, { waiting: [], known: NO_ROWS, numbers: [] });
  const owned = row.lane === LIFE ? sql` AND i.current_operation = ${request.name}` : sql``;
  const unchanged = row.subject === "server" ? sql` AND i.generation = ${row.i_generation}` : sql``;
  const held = sql`SELECT o.cancel_requested FROM ${t.operation} AS o JOIN ${holderOf(store, row.subject).table} AS i ON i.id = o.server_id
    WHERE o.id = ${row.id} AND o.fence = ${row.fence} AND o.generation = ${row.generation} AND o.state = ${row.state}${unchanged}${owned} FOR UPDATE`;
  const statement = onlyWhere<{ cancel_requested: boolean; has_signals: boolean }>(
    held,
    plan.parts,
    sql`, (SELECT cancel_requested FROM held) AS cancel_requested, EXISTS (
      SELECT 1 FROM ${t.operation_signal} WHERE operation_id = ${row.id} AND consumed_at IS NULL AND NOT signal_id = ANY(${request.consumedSignals}::text[])) AS has_signals`,
  );
  const { rows } = await store.db.statement(ctx, "operations.commit-step", (db) => statement.execute(db));
  const committed = rows[0];
  if (committed === undefined) return undefined;
  store.changed();
  remember(store, plan);
  const signals = committed.has_signals
    ? await store.db.statement(ctx, "operations.signals", (db) => pendingSignals(store, db, row.id))
    : [];
  return answerOf(plan, request, signals, committed.cancel_requested);
}

async function commitLocked(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: CommitStepRequest,
): Promise<Committed> {
  const numbers = await numbersFor(store, ctx, request.change);
  const { plan, waiting, cancelRequested, next } = await store.db.write(
    ctx,
    "operations.commit-step",
    async (tx) => {
      const row = await lockOwned(store, tx, request.name, request.fence);
      const waiting = (await pendingSignals(store, tx, row.id)).filter(
        ({ id }) => !request.consumedSignals.includes(id),
      );
      const known = touchesRows(request.change)
        ? await rowsFor(store, deps, tx, loadRecord(instanceOf(row)), row.id, request.change)
        : NO_ROWS;
      const plan = planOf(store, deps, request, row, { waiting, known, numbers });
      await allTogether(plan.parts).execute(tx);
      const ends = row.lane !== LIFE && !isLive(request.state);
      const next = ends ? await nextInLane(store, deps, tx, row, plan.record, deps.clock.now()) : undefined;
      return { plan, waiting, cancelRequested: row.cancel_requested, next };
    },
  );
  remember(store, plan);
  return {
    response: answerOf(plan, request, waiting, cancelRequested),
    next,
    quota: endedQuota(deps, plan.next, request.state),
  };
}

/** Everything that a commit writes, and the rows as they are after it. */
interface Plan {
  readonly parts: readonly ConditionalPart[];
  readonly next: OperationRow;
  /** Undefined when the operation is about no server. */
  readonly record: InstanceRecord | undefined;
  readonly instance: InstanceRow;
}

/** By what a commit is decided, besides the rows of the operation and its server. */
interface CommitFacts {
  readonly waiting: readonly StoredSignal[];
  readonly known: KnownRows;
  /** For new migrations. */
  readonly numbers: readonly bigint[];
}

function planOf(
  store: Store,
  deps: StoreDeps,
  request: CommitStepRequest,
  row: JoinedRow,
  { waiting, known, numbers }: CommitFacts,
): Plan {
  const now = deps.clock.now();
  const before = instanceOf(row);
  const changed = nextInstance(deps, row, request, { now, known, numbers });
  const record = changed?.record;
  const userData = userDataColumn(deps, row.server_id, request.change);
  const columns = record === undefined ? undefined : { ...instanceColumns(record), ...userData };
  const after = record ?? (row.subject === "server" ? loadRecord(before) : undefined);
  const next = withResult(deps, nextRow(row, request, waiting, now), after);
  const outbox = outboxPart(store.t, deps.ids, outboxRows(next, record, columns, request), now);
  const instance =
    columns === undefined || after === undefined
      ? before
      : {
          ...before,
          generation: Number(serverOf(after).generation),
          current_operation: serverOf(after).currentOperation,
          server: columns.server,
          details: columns.details,
          ...userData,
        };
  return {
    parts: [
      ...writes(store, row, next, request, columns, now),
      ...(changed === undefined ? [] : rowParts(store, deps, changed.rows)),
      ...(request.change?.deleteRecord === true ? endingRows(store, row.server_id, now) : []),
      outbox,
    ],
    next,
    record: after,
    instance,
  };
}

function remember(store: Store, { next, instance }: Plan): void {
  if (next.ready_at === null) store.recent.drop(next.id);
  else store.recent.put(next.id, joinRows(next, instance));
}

export const answerOf = (
  { next, record }: Pick<Plan, "next" | "record">,
  request: CommitStepRequest,
  signals: StoredSignal[],
  cancelRequested: boolean,
): CommitStepResponse => ({
  operationGeneration: BigInt(next.generation),
  generation: record === undefined ? 0n : serverOf(record).generation,
  signals,
  cancelRequested,
  instance: record && needsRecord(request, serverOf(record).generation) ? record : undefined,
});

/** Whether the conductor goes on with an older record than the one of this generation. */
const needsRecord = (
  { instanceGeneration, state, release }: CommitStepRequest,
  generation: bigint,
): boolean => instanceGeneration === 0n || (isLive(state) && !release && instanceGeneration !== generation);

/** Steps after a commit: changed ones replace those of the same name and round, new ones come last. */
function withSteps(stored: Buffer, changed: readonly StepRecord[]): Buffer {
  const before = StoredSteps.decode(stored);
  const steps = [...before.steps];
  for (const step of changed) {
    const at = steps.findIndex(({ name, round }) => name === step.name && round === step.round);
    if (at === -1) steps.push(step);
    else steps[at] = { ...steps[at], ...step };
  }
  return encoded(StoredSteps, { ...before, steps });
}

/** The operation's row after the commit. Ended operations have no owner, no timer and no secrets. */
export function nextRow(
  row: OperationRow,
  request: CommitStepRequest,
  waiting: readonly StoredSignal[],
  now: Instant,
): OperationRow {
  const live = isLive(request.state);
  const needsOperator = request.state === OperationState.OPERATION_STATE_NEEDS_OPERATOR;
  return {
    ...row,
    state: operationStateWord(request.state),
    current_step: request.currentStep,
    undo_until: request.undoUntil,
    steps: withSteps(row.steps, request.steps),
    generation: row.generation + 1,
    owner: live && !request.release ? row.owner : "",
    ready_at: readyAt(row, request, waiting, now),
    deadline: fromTimestampOrNull(request.deadline) ?? row.deadline,
    waiting_for:
      request.state === OperationState.OPERATION_STATE_PARKED || needsOperator ? request.waitingFor : "",
    error: request.error === undefined ? null : encoded(OperationError, request.error),
    progress: goesOnAt(row.current_step, request) ? row.progress : null,
    secrets: live || needsOperator ? row.secrets : null,
    updated_at: now,
  };
}

/** A row with what its kind promises, once it has succeeded. @param after  its server as it leaves it */
export function withResult(
  { operations }: StoreDeps,
  row: OperationRow,
  after: InstanceRecord | undefined,
): OperationRow {
  if (after === undefined) return row;
  const declaration = row.state === "succeeded" ? operations.find(row.kind) : undefined;
  const result = declaration && resultOf(declaration, serverOf(after), StoredSteps.decode(row.steps).steps);
  return result === undefined
    ? row
    : { ...row, other_fields: withOtherOperationFields(row.other_fields, { result }) };
}

/** When somebody may take the operation: at once, when a timer or an ownership ends, or never. */
function readyAt(
  row: OperationRow,
  request: CommitStepRequest,
  waiting: readonly StoredSignal[],
  now: Instant,
): Instant | null {
  if (!isLive(request.state)) return null;
  if (!request.release) return row.ready_at;
  const timer = fromTimestampOrNull(request.wakeAt);
  if (request.state !== OperationState.OPERATION_STATE_PARKED) return timer ?? now;
  const arrived = request.waitingFor !== "" && waiting.some(({ kind }) => kind === request.waitingFor);
  return arrived || row.cancel_requested ? now : timer;
}

/** The instance's record and rows after the commit; undefined when it does not change. */
export function nextInstance(
  deps: StoreDeps,
  row: JoinedRow,
  request: CommitStepRequest,
  { now, known, numbers }: Pick<CommitFacts, "known" | "numbers"> & { readonly now: Instant },
): ChangedServer | undefined {
  const beside = row.lane !== LIFE;
  if (row.subject !== "server" && request.change !== undefined)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "change",
      problem: `an operation of a ${row.subject} has no server to change`,
    });
  if (beside && request.change?.updateMask?.includes("task_state") === true)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "change",
      problem: `task_state cannot be changed in the lane ${row.lane}`,
    });
  const ends = !beside && !isLive(request.state);
  if (request.change === undefined && !ends) return undefined;
  return planChange(loadRecord(instanceOf(row)), request.change, known, {
    owner: ends ? "" : row.i_current_operation,
    operation: request.name,
    operationId: row.id,
    userId: touchesRows(request.change) ? Actor.decode(row.actor).userId : "",
    now,
    newId: () => deps.ids.uuid(),
    numbers,
  });
}

function writes(
  store: Store,
  row: OperationRow,
  next: OperationRow,
  request: CommitStepRequest,
  columns: InstanceColumns | undefined,
  now: Instant,
): ConditionalPart[] {
  const { t } = store;
  const {
    state,
    current_step,
    undo_until,
    steps,
    generation,
    owner,
    ready_at,
    deadline,
    waiting_for,
    error,
    progress,
    secrets,
    updated_at,
  } = next;
  // Who goes on with it renews its ownership elsewhere, and this row may be older than that.
  const ownership = request.release || ready_at === null ? { owner, ready_at } : {};
  const changes = {
    state,
    current_step,
    undo_until,
    steps,
    generation,
    deadline,
    waiting_for,
    error,
    progress,
    secrets,
    updated_at,
    ...ownership,
    ...(next.other_fields === row.other_fields ? {} : { other_fields: next.other_fields }),
  };
  const parts = [changing("op", sql`UPDATE ${t.operation} SET ${assignments(changes)} WHERE id = ${row.id}`)];
  if (columns !== undefined)
    parts.push(
      changing("inst", sql`UPDATE ${t.instance} SET ${assignments(columns)} WHERE id = ${row.server_id}`),
    );
  if (request.consumedSignals.length > 0) {
    parts.push(
      changing(
        "sig",
        sql`UPDATE ${t.operation_signal} SET consumed_at = ${now} WHERE operation_id = ${row.id} AND signal_id = ANY(${request.consumedSignals}::text[])`,
      ),
    );
  }
  const failed =
    request.state === OperationState.OPERATION_STATE_FAILED ||
    request.state === OperationState.OPERATION_STATE_NEEDS_OPERATOR;
  if (row.action !== "") {
    parts.push(...timelineParts(t, next, request.steps, failed, now));
  }
  return parts;
}

function outboxRows(
  next: OperationRow,
  record: InstanceRecord | undefined,
  columns: InstanceColumns | undefined,
  request: CommitStepRequest,
): OutboxRow[] {
  const rows: OutboxRow[] = [operationChanged(next)];
  if (record !== undefined && columns !== undefined)
    rows.unshift(
      instanceChanged(record, columns, request.change?.deleteRecord === true ? "deleted" : "changed"),
    );
  return rows;
}
