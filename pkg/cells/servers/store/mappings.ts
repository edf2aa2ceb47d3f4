import { sql } from "../../store/sql.js";
import type {
  Cell,
  GetInstanceMappingsRequest,
  InstanceMapping,
} from "../../../../gen/kilonova/cells/v1/global_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { toTimestamp } from "../../../model/wire-time.js";
import type { Store } from "../../store/tables.js";

interface MappingRow {
  readonly server_id: string;
  readonly database: string;
  readonly project_id: string;
  readonly deleted: boolean;
  readonly created_at: Instant;
}

/** Where servers are: the named ones, or all of some databases. */
export async function getMappings(
  store: Store,
  ctx: Ctx,
  request: GetInstanceMappingsRequest,
): Promise<InstanceMapping[]> {
  const { t } = store;
  const named = request.serverIds.length > 0;
  const limit = Math.min(1000, request.limit === 0 ? 1000 : request.limit);
  const { rows } = await store.db.statement(ctx, "mappings.get", (db) =>
    (named
      ? sql<MappingRow>`SELECT server_id, database, project_id, deleted, created_at FROM ${t.instance_mapping} WHERE server_id = ANY(${request.serverIds}::text[])`
      : sql<MappingRow>`SELECT server_id, database, project_id, deleted, created_at FROM ${t.instance_mapping}
        WHERE database = ANY(${request.databases}::text[]) AND NOT deleted AND (${request.projectId} = '' OR project_id = ${request.projectId})
        ORDER BY created_at, server_id LIMIT ${limit}`
    ).execute(db),
  );
  return rows.map((row) => ({
    serverId: row.server_id,
    database: row.database,
    projectId: row.project_id,
    deleted: row.deleted,
    createdAt: toTimestamp(row.created_at),
  }));
}

/** Makes sure that the cells of the configuration are known. Repeatable. */
export async function registerCells(
  store: Store,
  ctx: Ctx,
  cells: readonly { readonly name: string; readonly uuid: string }[],
): Promise<void> {
  await store.db.write(ctx, "cells.register", async (tx) => {
    for (const { name, uuid } of cells)
      await sql`INSERT INTO ${store.t.cell} (name, uuid) VALUES (${name}, ${uuid}) ON CONFLICT (name) DO NOTHING`.execute(
        tx,
      );
  });
}

/** All cells by name. */
export async function listCells(store: Store, ctx: Ctx): Promise<Cell[]> {
  const { rows } = await store.db.statement(ctx, "cells.list", (db) =>
    sql<Cell>`SELECT name, uuid, disabled FROM ${store.t.cell} ORDER BY name COLLATE "C"`.execute(db),
  );
  return rows.map(({ name, uuid, disabled }) => ({ name, uuid, disabled }));
}
