import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { forgettingHistory } from "../../operations/store/travelling-rows.js";
import { allTogether } from "../../store/fragments.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { Store, Tables, Tx } from "../../store/tables.js";

interface Old {
  readonly before: Instant;
  readonly limit: number;
}

/** Deleted long ago, and neither owned nor going elsewhere. */
const isGone = (t: Tables, before: Instant): Sql =>
  sql`deleted_at IS NOT NULL AND deleted_at < ${before} AND current_operation = '' AND leaving_to = ''
    AND NOT EXISTS (SELECT 1 FROM ${t.operation} AS o
      WHERE o.server_id = i.id AND o.state IN ('running', 'parked', 'undoing', 'needs-operator'))`;

/**
 * Forgets the servers that were deleted longest ago, with all their rows. Their mappings go first: what was
 * cut short in between is found again by the record.
 * @param global  where the mappings are
 * @returns how many servers
 */
export async function forgetDeletedServers(
  store: Store,
  global: Store,
  ctx: Ctx,
  { before, limit }: Old,
): Promise<number> {
  const { t } = store;
  const { rows } = await store.db.statement(ctx, "retention.deleted-servers", (db) =>
    sql<{
      id: string;
    }>`SELECT id FROM ${t.instance} AS i WHERE ${isGone(t, before)} ORDER BY deleted_at, id LIMIT ${limit}`.execute(
      db,
    ),
  );
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return 0;
  await global.db.statement(ctx, "retention.mappings", (db) =>
    sql`DELETE FROM ${global.t.instance_mapping} WHERE server_id = ANY(${ids}::text[]) AND database = ${store.name}`.execute(
      db,
    ),
  );
  return store.db.write(ctx, "retention.servers", (tx) => forget(store, tx, ids, before));
}

async function forget({ t }: Store, tx: Tx, ids: readonly string[], before: Instant): Promise<number> {
  const { rows } = await sql<{
    id: string;
  }>`SELECT id FROM ${t.instance} AS i WHERE id = ANY(${ids}::text[]) AND ${isGone(t, before)} FOR UPDATE`.execute(
    tx,
  );
  const gone = rows.map(({ id }) => id);
  if (gone.length === 0) return 0;
  const listed = sql`(SELECT unnest(${gone}::text[]))`;
  await allTogether([
    ...forgettingHistory(t, listed),
    { name: "kept", body: sql`DELETE FROM ${t.kept_server} WHERE server_id IN ${listed}` },
    { name: "inst", body: sql`DELETE FROM ${t.instance} WHERE id IN ${listed}` },
  ]).execute(tx);
  await sql`DELETE FROM ${t.operation} WHERE server_id IN ${listed}`.execute(tx);
  return gone.length;
}

/** Forgets the block devices that were taken out of servers longest ago. @returns how many */
export async function forgetDetachedDevices(
  { db, t }: Store,
  ctx: Ctx,
  before: Instant,
  limit: number,
): Promise<number> {
  const { rows } = await db.statement(ctx, "retention.devices", (on) =>
    sql`DELETE FROM ${t.block_device} WHERE (server_id, id) IN (
      SELECT server_id, id FROM ${t.block_device} WHERE deleted_at IS NOT NULL AND deleted_at < ${before}
      ORDER BY deleted_at LIMIT ${limit}) RETURNING 1`.execute(on),
  );
  return rows.length;
}
