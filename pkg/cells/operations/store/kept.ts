import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { loadRecord } from "../../servers/domain/records.js";
import type { KeptRow } from "../../store/rows.js";
import { sql } from "../../store/sql.js";
import type { Store, Tx } from "../../store/tables.js";
import { operationIdOf } from "./owned-operation.js";

/** The record that is kept here for a server's return from where an operation has moved it. */
export async function findKept(
  store: Store,
  ctx: Ctx,
  serverId: string,
  operation: string,
): Promise<InstanceRecord | undefined> {
  const { rows } = await store.db.statement(ctx, "handover.kept", (db) =>
    sql<KeptRow>`SELECT number, server, details, user_data FROM ${store.t.kept_server}
      WHERE server_id = ${serverId} AND operation_id = ${operationIdOf(operation)}`.execute(db),
  );
  return rows[0] && loadRecord(rows[0]);
}

/** Forgets it. Repeatable; the record of a later move stays. @returns whether it was there */
export async function forgetKept(
  store: Store,
  ctx: Ctx,
  serverId: string,
  operation: string,
): Promise<boolean> {
  const { rows } = await store.db.statement(ctx, "handover.forget-kept", (db) =>
    sql`DELETE FROM ${store.t.kept_server} WHERE server_id = ${serverId} AND operation_id = ${operationIdOf(operation)} RETURNING 1`.execute(
      db,
    ),
  );
  return rows.length > 0;
}

/** The record that was kept is the server's own again. */
export async function dropKept(store: Store, tx: Tx, serverId: string): Promise<void> {
  await sql`DELETE FROM ${store.t.kept_server} WHERE server_id = ${serverId}`.execute(tx);
}
