import { pageOf } from "../../store/page.js";
import { sql } from "../../store/sql.js";
import { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { operationStateWord } from "../../../model/operation-states.js";
import { sqlTime } from "../../../platform/db/index.js";
import { CellsErrors } from "../../errors.js";
import { toStored } from "./operation-rows.js";
import { operationColumns, operationIdOf } from "./owned-operation.js";
import type { OperationRow } from "../../store/rows.js";
import type { Store } from "../../store/tables.js";

/** @throws OPERATION_NOT_FOUND */
export async function getOperation(store: Store, ctx: Ctx, name: string): Promise<StoredOperation> {
  const { rows } = await store.db.statement(ctx, "operations.get", (db) =>
    sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o WHERE o.id = ${operationIdOf(name)}`.execute(
      db,
    ),
  );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: name });
  return toStored(row);
}

export interface OperationQuery {
  /** "" for any. */
  readonly subjectId: string;
  readonly states: readonly OperationState[];
  readonly pageSize: number;
  readonly pageToken: string;
}

/**
 * Newest first. Operations that live on in another database are not shown. @throws INVALID_ARGUMENT for a
 * token of another list
 */
export async function listOperations(
  store: Store,
  ctx: Ctx,
  query: OperationQuery,
): Promise<{ operations: StoredOperation[]; nextPageToken: string }> {
  const { t } = store;
  const limit = Math.min(1000, query.pageSize === 0 ? 100 : query.pageSize);
  const after = readToken(query.pageToken);
  const conditions = [
    sql`o.state <> 'handed-over'`,
    ...(query.subjectId === "" ? [] : [sql`o.server_id = ${query.subjectId}`]),
    ...(query.states.length === 0
      ? []
      : [sql`o.state = ANY(${query.states.map(operationStateWord)}::text[])`]),
    ...(after === undefined ? [] : [sql`(o.created_at, o.id) < (${after.at}::timestamptz, ${after.id})`]),
  ];
  const { rows } = await store.db.statement(ctx, "operations.list", (db) =>
    sql<OperationRow>`SELECT ${operationColumns("o")}
    FROM ${t.operation} AS o WHERE ${sql.join(conditions, sql` AND `)} ORDER BY o.created_at DESC, o.id DESC LIMIT ${limit + 1}`.execute(
      db,
    ),
  );
  const found = rows.map((row) => toStored(row));
  const { page, more } = pageOf(found, limit, (one) => StoredOperation.encode(one).finish().length);
  const last = rows[page.length - 1];
  return {
    operations: [...page],
    nextPageToken: more && last !== undefined ? writeToken(last.created_at, last.id) : "",
  };
}

const writeToken = (at: Instant, id: string): string =>
  Buffer.from(JSON.stringify([sqlTime(at), id])).toString("base64url");

/** Reads a token made of a time and an id. @throws INVALID_ARGUMENT */
export function readToken(token: string): { at: string; id: string } | undefined {
  if (token === "") return undefined;
  try {
    const [at, id] = JSON.parse(Buffer.from(token, "base64url").toString()) as unknown[];
    if (typeof at === "string" && typeof id === "string") return { at, id };
  } catch {
    /* Not ours: refused below. */
  }
  throw CommonErrors.INVALID_ARGUMENT({ field: "page_token", problem: "it belongs to another list" });
}
export { writeToken };
