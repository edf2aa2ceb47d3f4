import { sql } from "../../store/sql.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { UNENDED } from "../../../model/migration-states.js";
import { CellsErrors } from "../../errors.js";
import { operationIdOf } from "./owned-operation.js";
import type { Store } from "../../store/tables.js";

/**
 * Whether an operation works on a host: it is about that host, its server is there by its record, one of its
 * steps was, or its server moves from there or to there.
 * @throws WRONG_OPERATION otherwise, also when there is no such operation
 * @cost one statement; two where the server only moves
 */
export async function requireOperationOn(
  store: Store,
  ctx: Ctx,
  operation: string,
  host: string,
): Promise<void> {
  const { t } = store;
  const { rows } = await store.db.statement(ctx, "operations.hosts", (db) =>
    sql<{ host: string | null; steps: Buffer }>`
    SELECT COALESCE(i.host, n.host) AS host, o.steps FROM ${t.operation} AS o
      LEFT JOIN ${t.instance} AS i ON i.id = o.server_id LEFT JOIN ${t.compute_node} AS n ON n.id = o.server_id
    WHERE o.id = ${operationIdOf(operation)}`.execute(db),
  );
  const row = rows[0];
  const hosts =
    row === undefined ? [] : [row.host, ...StoredSteps.decode(row.steps).steps.map((step) => step.host)];
  if (!hosts.includes(host) && !(await isMovesEnd(store, ctx, operation, host)))
    throw CellsErrors.WRONG_OPERATION({ operation });
}

/** Whether a move of the operation's server leaves that host or goes there, and has not ended. */
async function isMovesEnd({ db, t }: Store, ctx: Ctx, operation: string, host: string): Promise<boolean> {
  const { rows } = await db.statement(ctx, "operations.move-ends", (at) =>
    sql`SELECT 1 FROM ${t.operation} AS o JOIN ${t.migration} AS m ON m.server_id = o.server_id
    WHERE o.id = ${operationIdOf(operation)} AND m.status = ANY(${UNENDED}::text[]) AND m.deleted_at IS NULL
      AND (m.source_host = ${host} OR m.target_host = ${host}) LIMIT 1`.execute(at),
  );
  return rows.length > 0;
}
