import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";

const ENDED = sql`('succeeded', 'failed', 'cancelled', 'preempted')`;
/** One that is handed over lives on elsewhere; what goes with it is the hand-over's affair. */
const UNDER_WAY = sql`('running', 'parked', 'undoing', 'needs-operator', 'handed-over')`;

/**
 * Forgets the operations that have ended longest ago, with their signals and client tokens. One of the same
 * server, host or cloud that is under way may still look at those that it has taken over: then none goes.
 * @returns how many operations
 * @cost one statement over an index of ended operations
 */
export async function forgetOperations(
  { db, t }: Store,
  ctx: Ctx,
  before: Instant,
  limit: number,
): Promise<number> {
  const { rows } = await db.statement(ctx, "retention.operations", (on) =>
    sql`WITH old AS (
      SELECT id, server_id FROM ${t.operation} AS o
      WHERE state IN ${ENDED} AND updated_at < ${before}
        AND NOT EXISTS (SELECT 1 FROM ${t.operation} AS x WHERE x.server_id = o.server_id AND x.state IN ${UNDER_WAY})
      ORDER BY updated_at, id LIMIT ${limit}
    ), sig AS (
      DELETE FROM ${t.operation_signal} WHERE operation_id IN (SELECT id FROM old)
    ), tok AS (
      DELETE FROM ${t.client_token} WHERE operations[1] IN (SELECT 'operations/' || server_id || '/' || id FROM old)
    )
    DELETE FROM ${t.operation} WHERE id IN (SELECT id FROM old) AND state IN ${ENDED} RETURNING 1`.execute(
      on,
    ),
  );
  return rows.length;
}

/** Forgets the oldest client tokens, none of an operation under way here. @returns how many */
export async function forgetClientTokens(
  { db, t }: Store,
  ctx: Ctx,
  before: Instant,
  limit: number,
): Promise<number> {
  const key = sql`(project_id, user_id, method, token)`;
  const { rows } = await db.statement(ctx, "retention.client-tokens", (on) =>
    sql`DELETE FROM ${t.client_token} WHERE ${key} IN (
      SELECT project_id, user_id, method, token FROM ${t.client_token} AS c
      WHERE created_at < ${before} AND NOT EXISTS (
        SELECT 1 FROM ${t.operation} AS o
        WHERE o.id IN (SELECT right(name, 36) FROM unnest(c.operations) AS name) AND o.state IN ${UNDER_WAY})
      ORDER BY created_at LIMIT ${limit}) RETURNING 1`.execute(on),
  );
  return rows.length;
}

/** Forgets the oldest signals of operations that have ended or are not here. @returns how many */
export async function forgetOldSignals(
  { db, t }: Store,
  ctx: Ctx,
  before: Instant,
  limit: number,
): Promise<number> {
  const { rows } = await db.statement(ctx, "retention.signals", (on) =>
    sql`DELETE FROM ${t.operation_signal} WHERE (operation_id, signal_id) IN (
      SELECT operation_id, signal_id FROM ${t.operation_signal} AS s
      WHERE created_at < ${before}
        AND NOT EXISTS (SELECT 1 FROM ${t.operation} AS o WHERE o.id = s.operation_id AND o.state IN ${UNDER_WAY})
      ORDER BY created_at LIMIT ${limit}) RETURNING 1`.execute(on),
  );
  return rows.length;
}
