import { sql } from "../../store/sql.js";
import type { Ctx } from "../../../kernel/ctx.js";
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
