import { sql } from "../../store/sql.js";
import type {
  CommitStepRequest,
  CommitStepResponse,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { merged } from "../../../kernel/merged.js";
import type { Instant } from "../../../kernel/time.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import type { InstanceColumns } from "../../servers/domain/instance-columns.js";
import { NO_ROWS, touchesRows } from "../../servers/domain/plan-change.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import {
  endingRows,
  numbersFor,
  rowParts,
  rowsFor,
  userDataColumn,
} from "../../servers/store/server-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments, changing, onlyWhere } from "../../store/fragments.js";
import type { ConditionalPart } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { OutboxRow } from "../../store/outbox.js";
import type { InstanceRow, JoinedRow, OperationRow } from "../../store/rows.js";
import type { Store } from "../../store/tables.js";
import { afterCommit, answerOf, endedQuota, passesTurn } from "../domain/after-commit.js";
import type { AfterCommit, CommitFacts, EndedQuota } from "../domain/after-commit.js";
import { LIFE } from "../domain/lanes.js";
import { passTurns } from "./lanes.js";
import {
  holderOf,
  instanceOf,
  joinRows,
  lockOwned,
  operationIdOf,
  pendingSignals,
} from "./owned-operation.js";
import { timelineParts } from "./timeline.js";

/** A stored commit, the operations whose turn it is now, and quota to be settled. */
export interface Committed {
  readonly response: CommitStepResponse;
  readonly next: readonly string[];
  /** Set when an operation has ended that may have taken quota. */
  readonly quota?: EndedQuota | undefined;
}

/**
 * Stores progress of an operation with everything that goes with it (instance, timeline, consumed signals,
 * outbox) in one transaction, conditional on the fence. The end of one in a lane other than "life" gives the
 * turn to the next of its lane in the same transaction, the end of one that was alone to those that waited.
 * @throws FENCE_LOST; INVALID_ARGUMENT when another lane than "life" would change the task state, or an
 *   operation that is about no server a server
 * @cost one round trip when this process stored the operation last and the change touches no rows; else five:
 *   begin, lock, signals, write, commit, and those of `rowsFor`; one more to end rows that it writes
 */
export async function commitStep(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: CommitStepRequest,
): Promise<Committed> {
  const known = store.recent.get(operationIdOf(request.name));
  // Parking depends on signals that may have arrived, and who follows in lanes on who waits there; that is
  // decided under the lock.
  if (
    known !== undefined &&
    request.state !== OperationState.OPERATION_STATE_PARKED &&
    !passesTurn(deps.operations, known, request.state) &&
    !touchesRows(request.change) &&
    BigInt(known.fence) === request.fence
  ) {
    const response = await commitUnchanged(store, deps, ctx, request, known);
    if (response !== undefined)
      return { response, next: [], quota: endedQuota(deps.operations, known, request.state) };
    store.recent.drop(known.id);
  }
  return commitLocked(store, deps, ctx, request);
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
  const held = sql`SELECT o.cancel_requested FROM ${holderOf(store, row.subject).table} AS i JOIN ${t.operation} AS o ON i.id = o.server_id
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
      if (plan.afterwards.length > 0) await allTogether(plan.afterwards).execute(tx);
      const next = passesTurn(deps.operations, row, request.state)
        ? await passTurns(store, deps, tx, row, plan.record, deps.clock.now())
        : [];
      return { plan, waiting, cancelRequested: row.cancel_requested, next };
    },
  );
  remember(store, plan);
  return {
    response: answerOf(plan, request, waiting, cancelRequested),
    next,
    quota: endedQuota(deps.operations, plan.next, request.state),
  };
}

/** Everything that a commit writes, and the rows as they are after it. */
interface Plan extends Pick<AfterCommit, "next" | "record"> {
  readonly parts: readonly ConditionalPart[];
  /** What changes a table once more, in a statement that follows; nothing when the change touches no rows. */
  readonly afterwards: readonly ConditionalPart[];
  readonly instance: InstanceRow;
}

function planOf(
  store: Store,
  deps: StoreDeps,
  request: CommitStepRequest,
  row: JoinedRow,
  facts: Pick<CommitFacts, "waiting" | "known" | "numbers">,
): Plan {
  const now = deps.clock.now();
  const instance = instanceOf(row);
  const before = row.subject === "server" ? loadRecord(instance) : undefined;
  const after = afterCommit(deps.operations, { row, before, owner: row.i_current_operation }, request, {
    ...facts,
    now,
    newId: () => deps.ids.uuid(),
  });
  const { next, changed, record } = after;
  const userData = userDataColumn(deps, row.server_id, request.change);
  const columns = changed && merged(instanceColumns(changed.record), userData);
  const rows = changed === undefined ? [] : rowParts(store, deps, changed.rows);
  const endings = request.change?.deleteRecord === true ? endingRows(store, row.server_id, now) : [];
  return {
    parts: [
      ...writes(store, row, after, request, columns, now),
      ...rows,
      ...(rows.length === 0 ? endings : []),
      outboxPart(store.t, deps.ids, outboxRows(after, columns, request), now),
    ],
    afterwards: rows.length === 0 ? [] : endings,
    next,
    record,
    instance:
      columns === undefined || record === undefined
        ? instance
        : {
            ...instance,
            generation: Number(serverOf(record).generation),
            current_operation: serverOf(record).currentOperation,
            server: columns.server,
            details: columns.details,
            ...userData,
          },
  };
}

function remember(store: Store, { next, instance }: Plan): void {
  if (next.ready_at === null) store.recent.drop(next.id);
  else store.recent.put(next.id, joinRows(next, instance));
}

function writes(
  store: Store,
  row: OperationRow,
  { next, failed }: AfterCommit,
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
  if (row.action !== "") parts.push(...timelineParts(t, next, request.steps, failed, now));
  return parts;
}

function outboxRows(
  { next, changed }: AfterCommit,
  columns: InstanceColumns | undefined,
  { change }: CommitStepRequest,
): OutboxRow[] {
  const operation = operationChanged(next);
  if (changed === undefined || columns === undefined) return [operation];
  const event = change?.deleteRecord === true ? "deleted" : "changed";
  return [instanceChanged(changed.record, columns, event), operation];
}
