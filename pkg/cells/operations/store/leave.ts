import type { Ctx } from "../../../kernel/ctx.js";
import type { StoreDeps } from "../../store/deps.js";
import type { Part } from "../../store/fragments.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";
import type { FoundCopy } from "./dormant.js";
import type { SignalRow } from "./signals.js";
import { forgettingHistory } from "./travelling-rows.js";

/** A copy that woke elsewhere: what its source may let go. */
export type Left = Pick<FoundCopy, "serverId" | "operationId" | "sourceFence">;

/**
 * The source's record goes, if it has left to `target` under this very fence: a server that has come back and
 * leaves again is not meant.
 */
const leaving = ({ t }: Store, target: string, { serverId, sourceFence }: Left, columns: Sql): Sql =>
  sql`DELETE FROM ${t.instance} WHERE id = ${serverId} AND leaving_to = ${target} AND operation_fence = ${sourceFence} RETURNING ${columns}`;

/** Signals that are read at once. */
const SIGNALS_AT_ONCE = 500;

/**
 * The global database forgets new servers that their cell has by now, and their timelines. Repeatable.
 * @returns signals of their operations, which are still here: bring them to the cell, forget them, and call
 *   again until there are none
 * @cost one round trip, however many
 */
export async function forgetNewServers(
  store: Store,
  ctx: Ctx,
  target: string,
  left: readonly Left[],
): Promise<readonly SignalRow[]> {
  const { t } = store;
  const servers = left.map(({ serverId }) => serverId);
  const operations = left.map(({ operationId }) => operationId);
  const { rows } = await store.db.statement(ctx, "handover.leave", (db) =>
    sql<SignalRow>`WITH inst AS (
      DELETE FROM ${t.instance} WHERE id = ANY(${servers}::text[]) AND leaving_to = ${target}
    ), act AS (
      DELETE FROM ${t.instance_action} WHERE server_id = ANY(${servers}::text[]) AND id = ANY(${operations}::text[])
    ), ev AS (
      DELETE FROM ${t.instance_action_event} WHERE action_id = ANY(${operations}::text[])
    )
    SELECT operation_id, signal_id, kind, payload, created_at, consumed_at FROM ${t.operation_signal}
    WHERE operation_id = ANY(${operations}::text[]) ORDER BY created_at LIMIT ${SIGNALS_AT_ONCE}`.execute(db),
  );
  return rows;
}

/** A cell forgets a server that another one has by now, with its history. Repeatable. */
export async function forgetServer(store: Store, ctx: Ctx, target: string, left: Left): Promise<void> {
  await leave(store, ctx, leaving(store, target, left, sql`id`), []);
}

/** A cell hides the record of a server that another one has by now, and forgets its history. Repeatable. */
export async function keepServer(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  target: string,
  left: Left,
): Promise<void> {
  const { t } = store;
  await leave(store, ctx, leaving(store, target, left, sql`id, number, server, details, user_data`), [
    {
      name: "kept",
      body: sql`INSERT INTO ${t.kept_server} (server_id, operation_id, number, server, details, user_data, kept_at)
        SELECT id, ${left.operationId}::text, number, server, details, user_data, ${deps.clock.now()}::timestamptz FROM gone
        ON CONFLICT (server_id) DO UPDATE SET operation_id = excluded.operation_id, number = excluded.number, server = excluded.server,
          details = excluded.details, user_data = excluded.user_data, kept_at = excluded.kept_at`,
    },
  ]);
}

async function leave(store: Store, ctx: Ctx, gone: Sql, parts: readonly Part[]): Promise<void> {
  const forgetting = [...parts, ...forgettingHistory(store.t, sql`(SELECT id FROM gone)`)];
  const clauses = forgetting.map(({ name, body }) => sql`${sql.ref(name)} AS (${body} RETURNING 1)`);
  await store.db.write(ctx, "handover.leave", (tx) =>
    sql`WITH gone AS (${gone}), ${sql.join(clauses)} SELECT 1`.execute(tx),
  );
}
