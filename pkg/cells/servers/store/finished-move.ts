import type { Ctx } from "../../../kernel/ctx.js";
import { sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";

/**
 * The resize or cold migration of a server that has finished and is neither confirmed nor reverted.
 * @returns its id; undefined when there is none
 * @cost one statement over an index by server
 */
export async function finishedMove(store: Store, ctx: Ctx, serverId: string): Promise<string | undefined> {
  const { rows } = await store.db.statement(ctx, "migrations.finished", (db) =>
    sql<{ readonly id: string }>`SELECT id FROM ${store.t.migration}
      WHERE server_id = ${serverId} AND status = 'finished' AND deleted_at IS NULL
      ORDER BY created_at DESC LIMIT 1`.execute(db),
  );
  return rows[0]?.id;
}
