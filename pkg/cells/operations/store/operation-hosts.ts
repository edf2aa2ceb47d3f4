import { sql } from "../../store/sql.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CellsErrors } from "../../errors.js";
import { operationIdOf } from "./owned-operation.js";
import type { Store } from "../../store/tables.js";

/**
 * Whether an operation works on a host: it is about that host, its server is there by its record, or one of
 * its steps was.
 * @throws WRONG_OPERATION otherwise, also when there is no such operation
 * @cost one statement
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
  if (!hosts.includes(host)) throw CellsErrors.WRONG_OPERATION({ operation });
}
