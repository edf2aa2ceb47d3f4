import { sql } from "../../store/sql.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import type { StoreDeps } from "../../store/deps.js";
import { MAX_WAITING_SIGNALS } from "../../../model/signals.js";
import { requireSignal } from "../domain/signal-rules.js";
import { CellsErrors } from "../../errors.js";
import { operationIdOf } from "./owned-operation.js";
import type { Store } from "../../store/tables.js";

export interface Signal {
  readonly operation: string;
  readonly id: string;
  readonly kind: string;
  readonly payload: Buffer;
}

/** How a signal was taken: `woke` when it made a parked operation ready. */
export interface SignalOutcome {
  readonly accepted: boolean;
  readonly woke: boolean;
}

/**
 * Stores a signal, whether or not somebody waits for it yet. The same id again changes nothing.
 * @returns not accepted when the operation has ended or is not here
 * @throws INVALID_ARGUMENT, SIGNAL_NOT_YOURS, TOO_MANY_SIGNALS
 * @cost one statement
 */
export async function signalOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  signal: Signal,
): Promise<SignalOutcome> {
  requireSignal(signal, ctx.peer.service);
  const { t } = store;
  const id = operationIdOf(signal.operation);
  const now = deps.clock.now();
  const { rows } = await store.db.statement(ctx, "operations.signal", (db) =>
    sql<SignalOutcome & { readonly full: boolean }>`
    WITH op AS (
      SELECT id, state, waiting_for FROM ${t.operation} WHERE id = ${id} AND state IN ('running', 'parked', 'undoing') FOR UPDATE
    ), waiting AS (
      SELECT count(*) FILTER (WHERE signal_id <> ${signal.id}) >= ${MAX_WAITING_SIGNALS} AS "full"
      FROM ${t.operation_signal} WHERE operation_id = ${id} AND consumed_at IS NULL
    ), stored AS (
      INSERT INTO ${t.operation_signal} (operation_id, signal_id, kind, payload, created_at)
      SELECT op.id, ${signal.id}::text, ${signal.kind}::text, ${signal.payload}::bytea, ${now}::timestamptz FROM op, waiting WHERE NOT waiting."full"
      ON CONFLICT (operation_id, signal_id) DO NOTHING RETURNING 1
    ), woken AS (
      UPDATE ${t.operation} AS o SET ready_at = ${now} FROM op, waiting
      WHERE o.id = op.id AND NOT waiting."full" AND op.state = 'parked' AND op.waiting_for = ${signal.kind} RETURNING 1
    )
    SELECT EXISTS (SELECT 1 FROM op) AS accepted, EXISTS (SELECT 1 FROM woken) AS woke,
      EXISTS (SELECT 1 FROM op) AND (SELECT "full" FROM waiting) AS "full"`.execute(db),
  );
  if (rows[0]?.full === true) throw CellsErrors.TOO_MANY_SIGNALS({ operation: signal.operation });
  return rows[0] ?? { accepted: false, woke: false };
}

/** A row of `operation_signal`. */
export interface SignalRow {
  readonly operation_id: string;
  readonly signal_id: string;
  readonly kind: string;
  readonly payload: Buffer;
  readonly created_at: Instant;
  readonly consumed_at: Instant | null;
}

/**
 * Brings a signal after its operation, which has come here from another database; an operation that is
 * parked for it becomes ready. Repeatable.
 */
export async function bringSignal(
  { db, t }: Store,
  { clock }: StoreDeps,
  ctx: Ctx,
  { operation_id: id, signal_id, kind, payload, created_at, consumed_at }: SignalRow,
): Promise<void> {
  await db.statement(ctx, "handover.bring-signal", (on) =>
    sql`
    WITH op AS (
      SELECT id, state, waiting_for FROM ${t.operation} WHERE id = ${id} FOR UPDATE
    ), stored AS (
      INSERT INTO ${t.operation_signal} (operation_id, signal_id, kind, payload, created_at, consumed_at)
      SELECT op.id, ${signal_id}::text, ${kind}::text, ${payload}::bytea, ${created_at}::timestamptz, ${consumed_at}::timestamptz FROM op
      ON CONFLICT (operation_id, signal_id) DO NOTHING RETURNING consumed_at
    )
    UPDATE ${t.operation} AS o SET ready_at = ${clock.now()} FROM op, stored
    WHERE o.id = op.id AND stored.consumed_at IS NULL AND op.state = 'parked' AND op.waiting_for = ${kind}`.execute(
      on,
    ),
  );
}

/** Forgets signals that are with their operations by now. Repeatable. */
export async function forgetSignals(
  { db, t }: Store,
  ctx: Ctx,
  signals: readonly Pick<SignalRow, "operation_id" | "signal_id">[],
): Promise<void> {
  const operations = signals.map(({ operation_id }) => operation_id);
  const ids = signals.map(({ signal_id }) => signal_id);
  await db.statement(ctx, "handover.forget-signals", (on) =>
    sql`DELETE FROM ${t.operation_signal} AS s USING unnest(${operations}::text[], ${ids}::text[]) AS gone (operation_id, signal_id)
      WHERE s.operation_id = gone.operation_id AND s.signal_id = gone.signal_id`.execute(on),
  );
}
