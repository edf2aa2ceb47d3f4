import type { Ctx } from "../../../kernel/ctx.js";
import { sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";

/** A server's way from one cell to another, under the fence of its promise. */
export interface Swap {
  readonly serverId: string;
  readonly from: string;
  readonly to: string;
  readonly fence: number;
}

/**
 * Points a server's mapping from one cell to another: the moment at which it moves, for everybody.
 * Repeatable.
 * @returns false when the server has moved on under a higher fence: this comes too late
 * @cost one statement; two when it was done before
 */
export async function swapMapping(
  global: Store,
  ctx: Ctx,
  { serverId, from, to, fence }: Swap,
): Promise<boolean> {
  const { rows } = await global.db.statement(ctx, "handover.swap", (db) =>
    sql`UPDATE ${global.t.instance_mapping} SET database = ${to}, fence = ${fence}
      WHERE server_id = ${serverId} AND database = ${from} AND fence < ${fence} RETURNING 1`.execute(db),
  );
  if (rows.length > 0) return true;
  const mapped = await mappingOf(global, ctx, serverId);
  return mapped?.database === to && mapped.fence === fence;
}

/** Where the mapping says that a server is, and since which fence. */
export interface Mapped {
  readonly database: string;
  readonly fence: number;
}

/** A server's mapping; undefined when there is none. */
export async function mappingOf(global: Store, ctx: Ctx, serverId: string): Promise<Mapped | undefined> {
  const { rows } = await global.db.statement(ctx, "handover.mapping", (db) =>
    sql<Mapped>`SELECT database, fence FROM ${global.t.instance_mapping} WHERE server_id = ${serverId}`.execute(
      db,
    ),
  );
  return rows[0];
}
