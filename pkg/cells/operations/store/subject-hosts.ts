import { sql } from "../../store/sql.js";
import { ComputeNode } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Store } from "../../store/tables.js";

/** The records of hosts' compute nodes; those that are gone are left out. @cost one statement */
export async function hostsOf(store: Store, ctx: Ctx, ids: readonly string[]): Promise<ComputeNode[]> {
  const { rows } = await store.db.statement(ctx, "operations.hosts-of", (db) =>
    sql<{ body: Buffer }>`SELECT body FROM ${store.t.compute_node} WHERE id = ANY(${ids}::text[])`.execute(
      db,
    ),
  );
  return rows.map(({ body }) => ComputeNode.decode(body));
}
