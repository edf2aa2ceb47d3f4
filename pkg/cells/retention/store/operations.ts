import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { UNENDED } from "../../../model/migration-states.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { Store, Tables } from "../../store/tables.js";

const ENDED = sql`('succeeded', 'failed', 'cancelled', 'preempted')`;
/** One that is handed over lives on elsewhere; what goes with it is the hand-over's affair. */
const UNDER_WAY = sql`('running', 'parked', 'undoing', 'needs-operator', 'handed-over')`;

/**
 * Forgets the operations that have ended longest ago, with their signals and client tokens. One of the same
 * server, host or cloud that is under way may still look at those that it has taken over: then none goes. One
 * whose move rests stays as long: who takes the server back reads what it had moved.
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
        AND NOT EXISTS (SELECT 1 FROM ${t.migration} AS m
          WHERE m.id = o.id AND m.deleted_at IS NULL AND m.status = ANY(${UNENDED}::text[]))
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

interface TokenRow {
  readonly project_id: string;
  readonly user_id: string;
  readonly method: string;
  readonly token: string;
  readonly operations: readonly string[];
}

/** Operations of these that are under way, or ended after that time. */
const stillMatter = (t: Tables, ids: Sql, before: Instant): Sql =>
  sql`SELECT id FROM ${t.operation} AS o WHERE o.id IN (${ids}) AND (o.state IN ${UNDER_WAY} OR o.updated_at >= ${before})`;

/**
 * Forgets the oldest client tokens: none of an operation that is under way, or ended after that time.
 * @param elsewhere  other databases in which their operations may be by now
 * @returns how many
 */
export async function forgetClientTokens(
  { db, t }: Store,
  ctx: Ctx,
  {
    before,
    limit,
    elsewhere,
  }: { readonly before: Instant; readonly limit: number; readonly elsewhere: readonly Store[] },
): Promise<number> {
  const mine = sql`SELECT right(name, 36) FROM unnest(c.operations) AS name`;
  const { rows: old } = await db.statement(ctx, "retention.old-tokens", (on) =>
    sql<TokenRow>`SELECT project_id, user_id, method, token, operations FROM ${t.client_token} AS c
      WHERE created_at < ${before} AND NOT EXISTS (${stillMatter(t, mine, before)})
      ORDER BY created_at LIMIT ${limit}`.execute(on),
  );
  const matter = await Promise.all(elsewhere.map((store) => mattering(store, ctx, old, before)));
  const kept = new Set(matter.flat());
  const gone = old.filter(({ operations }) => !operations.some((name) => kept.has(name.slice(-36))));
  if (gone.length === 0) return 0;
  const column = (of: (row: TokenRow) => string): Sql => sql`${gone.map(of)}::text[]`;
  const { rows } = await db.statement(ctx, "retention.client-tokens", (on) =>
    sql`DELETE FROM ${t.client_token} WHERE (project_id, user_id, method, token) IN (
      SELECT * FROM unnest(${column((row) => row.project_id)}, ${column((row) => row.user_id)}, ${column((row) => row.method)},
        ${column((row) => row.token)})) RETURNING 1`.execute(on),
  );
  return rows.length;
}

/** Which of the tokens' operations are here and still matter. @returns their ids */
async function mattering(
  { db, t }: Store,
  ctx: Ctx,
  tokens: readonly TokenRow[],
  before: Instant,
): Promise<readonly string[]> {
  const ids = tokens.flatMap(({ operations }) => operations.map((name) => name.slice(-36)));
  if (ids.length === 0) return [];
  const { rows } = await db.statement(ctx, "retention.tokens-elsewhere", (on) =>
    sql<{ id: string }>`${stillMatter(t, sql`SELECT unnest(${ids}::text[])`, before)}`.execute(on),
  );
  return rows.map(({ id }) => id);
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
