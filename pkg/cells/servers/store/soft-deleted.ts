import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";

/** A server that can be restored, as it was found. */
export interface SoftDeleted {
  readonly id: string;
  readonly softDeletedAt: Instant;
  readonly generation: bigint;
}

interface DueRow {
  readonly id: string;
  readonly soft_deleted_at: Instant;
  readonly generation: number;
}

/**
 * Servers that have been SOFT_DELETED since a time or longer, and that nothing owns or takes elsewhere; the
 * oldest first.
 * @param after  the last one of the page before
 * @cost one statement over an index of just these servers
 */
export async function dueForReclaim(
  store: Store,
  ctx: Ctx,
  {
    before,
    after,
    limit,
  }: { readonly before: Instant; readonly after: SoftDeleted | undefined; readonly limit: number },
): Promise<SoftDeleted[]> {
  const beyond =
    after === undefined
      ? sql``
      : sql`AND (soft_deleted_at, id) > (${after.softDeletedAt}::timestamptz, ${after.id})`;
  const { rows } = await store.db.statement(ctx, "instances.soft-deleted", (db) =>
    sql<DueRow>`SELECT id, soft_deleted_at, generation FROM ${store.t.instance}
      WHERE soft_deleted_at IS NOT NULL AND deleted_at IS NULL AND soft_deleted_at <= ${before} ${beyond}
        AND current_operation = '' AND leaving_to = ''
      ORDER BY soft_deleted_at, id LIMIT ${limit}`.execute(db),
  );
  return rows.map(({ id, soft_deleted_at, generation }) => ({
    id,
    softDeletedAt: soft_deleted_at,
    generation: BigInt(generation),
  }));
}
