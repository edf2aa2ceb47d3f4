import { sql } from "../../store/sql.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { CellsErrors } from "../../errors.js";
import type { StoreDeps } from "../../store/deps.js";
import { idsOf, operationIdOf } from "./owned-operation.js";
import { operationPrefix } from "../../../model/operation-name.js";
import type { Store } from "../../store/tables.js";

/**
 * An operation that a conductor gave back in trouble rests this long, so that the trouble does not turn in
 * circles.
 */
export const PAUSE_MS = 1_000n;

/**
 * Renews the ownership of one operation, of a pre-empted one too.
 * @throws FENCE_LOST when the fence is not the newest, or when the operation was left or counted as abandoned
 * @cost one statement
 */
export async function confirmOwnership(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
  fence: bigint,
  ownershipMs: number,
): Promise<void> {
  const until = deps.clock.now() + BigInt(ownershipMs) * 1000n;
  const { rows } = await store.db.statement(ctx, "operations.confirm", (db) =>
    sql`
    UPDATE ${store.t.operation} SET ready_at = ${until} WHERE id = ${operationIdOf(name)} AND fence = ${Number(fence)} AND owner <> '' RETURNING 1`.execute(
      db,
    ),
  );
  if (rows.length === 0) throw CellsErrors.FENCE_LOST({ operation: name });
}

/**
 * How an operation was given back. `heir` has the lane of one that was pre-empted, or took over all lanes;
 * "" when nobody has to be told. `takenBack`: it has ended without its conductor, and what was made for it
 * is gone.
 */
export interface Leaving {
  readonly heir: string;
  readonly takenBack: boolean;
}

/**
 * Gives an operation back, unless somebody else has it by now.
 * @cost one statement
 */
export async function leaveOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
  fence: bigint,
): Promise<Leaving> {
  const { t } = store;
  const { subject, operationId: id } = idsOf(name);
  const again = deps.clock.now() + PAUSE_MS * 1000n;
  const { rows } = await store.db.statement(ctx, "operations.leave", (db) =>
    sql<Leaving>`
    WITH before AS (
      SELECT owner = '' AND state IN ('preempted', 'failed', 'cancelled') AS taken_back FROM ${t.operation} WHERE id = ${id}
    ), gone AS (
      UPDATE ${t.operation} SET owner = '', ready_at = CASE WHEN state = 'preempted' THEN NULL ELSE ${again}::timestamptz END
      WHERE id = ${id} AND fence = ${Number(fence)} AND owner <> '' RETURNING server_id, lane, state
    )
    SELECT COALESCE((
        SELECT ${operationPrefix(subject)} || o.id FROM gone JOIN ${t.operation} AS o ON o.server_id = gone.server_id
        WHERE gone.state = 'preempted' AND o.lane <> 'life' AND o.lane = gone.lane AND o.turn = 0 AND o.state IN ('running', 'parked', 'undoing')
      ), (SELECT i.current_operation FROM gone JOIN ${t.instance} AS i ON i.id = gone.server_id WHERE gone.state = 'preempted'), '') AS heir,
      COALESCE((SELECT taken_back FROM before), false) AS "takenBack"`.execute(db),
  );
  return rows[0] ?? { heir: "", takenBack: false };
}

/**
 * Whether nobody works on a pre-empted operation any more: its owner has left it, or has not renewed for so
 * long that it counts as dead.
 * @cost one statement
 */
export async function settleOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
): Promise<boolean> {
  const { t } = store;
  const id = operationIdOf(name);
  const { rows } = await store.db.statement(ctx, "operations.settle", (db) =>
    sql<{ at_rest: boolean }>`
    WITH settled AS (
      UPDATE ${t.operation} SET owner = '', ready_at = NULL WHERE id = ${id} AND state = 'preempted' AND owner <> '' AND ready_at <= ${deps.clock.now()} RETURNING 1
    )
    SELECT EXISTS (SELECT 1 FROM settled) OR NOT EXISTS (SELECT 1 FROM ${t.operation} WHERE id = ${id} AND owner <> '') AS at_rest`.execute(
      db,
    ),
  );
  return rows[0]?.at_rest ?? true;
}

/** Such operations that one call lets rest. */
const REST_AT_ONCE = 500;

/**
 * Lets pre-empted operations rest whose owner has not renewed since `before`, and whom nobody asked about:
 * it died in a step after which nothing can come any more.
 * @returns how many
 * @cost one statement; one more when there are any
 */
export async function letRest(store: Store, ctx: Ctx, before: Instant): Promise<number> {
  const { db, t } = store;
  const abandoned = sql`state = 'preempted' AND owner <> '' AND ready_at <= ${before}`;
  const { rows } = await db.statement(ctx, "operations.abandoned", (on) =>
    sql<{ id: string }>`SELECT id FROM ${t.operation} WHERE ${abandoned} LIMIT ${REST_AT_ONCE}`.execute(on),
  );
  if (rows.length === 0) return 0;
  const ids = rows.map(({ id }) => id);
  await db.statement(ctx, "operations.rest", (on) =>
    sql`UPDATE ${t.operation} SET owner = '', ready_at = NULL WHERE id = ANY(${ids}::text[]) AND ${abandoned}`.execute(
      on,
    ),
  );
  return rows.length;
}
