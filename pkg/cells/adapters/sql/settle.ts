import { sql } from "./sql.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { StoreDeps } from "./deps.js";
import { operationIdOf } from "./owned-operation.js";
import type { Store } from "./tables.js";

/** Whether nobody works on an operation any more; `heir` is what owns its instance now, told once: when its last owner let go. */
export interface Rest { readonly atRest: boolean; readonly heir: string }

/**
 * A pre-empted operation keeps its owner until that one has noticed and ended its step, or has stopped renewing.
 * @param fence  whose holder lets go of it; 0 only asks
 * @cost one statement
 */
export async function settleOperation(store: Store, deps: StoreDeps, ctx: Ctx, name: string, fence: bigint): Promise<Rest> {
  const { t } = store;
  const id = operationIdOf(name);
  const { rows } = await store.db.statement(ctx, "operations.settle", (db) => sql<Rest>`
    WITH settled AS (
      UPDATE ${t.operation} SET owner = '', ready_at = NULL
      WHERE id = ${id} AND state = 'preempted' AND owner <> '' AND (fence = ${Number(fence)} OR ready_at <= ${deps.clock.now()}) RETURNING server_id
    )
    SELECT EXISTS (SELECT 1 FROM settled) OR NOT EXISTS (SELECT 1 FROM ${t.operation} WHERE id = ${id} AND owner <> '') AS "atRest",
      COALESCE((SELECT i.current_operation FROM settled JOIN ${t.instance} AS i ON i.id = settled.server_id), '') AS heir`.execute(db));
  return rows[0] ?? { atRest: true, heir: "" };
}
