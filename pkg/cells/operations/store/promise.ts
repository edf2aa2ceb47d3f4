import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { StoredSignal } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { operationName } from "../../../model/operation-name.js";
import { loadRecord } from "../../servers/domain/records.js";
import { CellsErrors } from "../../errors.js";
import type { StoreDeps } from "../../store/deps.js";
import type { InstanceRow, OperationRow } from "../../store/rows.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { Store, Tx } from "../../store/tables.js";
import { instanceOf, lockOwned, operationIdOf, pendingSignals } from "./owned-operation.js";

/** What a source is asked to promise. */
export interface Promising {
  readonly name: string;
  readonly fence: bigint;
  readonly target: string;
  /** Generation of the instance that was copied; 0 for whatever there is. */
  readonly generation: bigint;
}

/** What a source adds to a copy with its promise: what arrived since the copy was made. */
export interface LateNews {
  readonly cancelRequested: boolean;
  readonly signals: readonly StoredSignal[];
}

/** A promise, or the record as it is now when it is not what was copied. */
export type Promised =
  | { readonly stale: undefined; readonly late: LateNews }
  | { readonly stale: InstanceRecord; readonly late: undefined };

const promised = (late: LateNews): Promised => ({ stale: undefined, late });
const stale = (row: InstanceRow): Promised => ({ stale: loadRecord(row), late: undefined });

/**
 * The global database promises a new server to its cell, and points the mapping there, in one statement.
 * @throws FENCE_LOST; PREEMPTED when a deletion took over first
 * @cost one round trip
 */
export async function promiseNewServer(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  asked: Promising,
): Promise<Promised> {
  const { t } = store;
  const { name, target } = asked;
  const id = operationIdOf(name);
  const fence = Number(asked.fence);
  const { rows } = await store.db.statement(ctx, "handover.commit", (db) =>
    sql<{ cancel_requested: boolean }>`
    WITH held AS (
      SELECT o.id, o.server_id, o.cancel_requested FROM ${t.instance} AS i JOIN ${t.operation} AS o ON i.id = o.server_id
      WHERE o.id = ${id} AND o.fence = ${fence} AND o.state IN ('running', 'parked', 'undoing') AND i.current_operation = ${name}
        AND ${sameGeneration(asked)} FOR UPDATE
    ), op AS (
      UPDATE ${t.operation} AS o SET ${handedOver(deps, target)} FROM held WHERE o.id = held.id RETURNING 1
    ), mapping AS (
      UPDATE ${t.instance_mapping} AS m SET database = ${target}, fence = ${fence} FROM held WHERE m.server_id = held.server_id RETURNING 1
    )
    UPDATE ${t.instance} AS i SET leaving_to = ${target} FROM held WHERE i.id = held.server_id RETURNING held.cancel_requested`.execute(
      db,
    ),
  );
  store.recent.drop(id);
  const [row] = rows;
  if (row !== undefined) return promised({ cancelRequested: row.cancel_requested, signals: [] });
  return store.db.write(ctx, "handover.refused", async (tx) => {
    const before = await promisedBefore(store, tx, asked);
    // Owned as asked, so it was the generation.
    return before ?? stale(instanceOf(await lockOwned(store, tx, name, asked.fence)));
  });
}

/**
 * A cell promises a server to another one: from here on it accepts nothing for it, and nobody goes on with
 * the operation here.
 * @throws FENCE_LOST, also when an operation of another lane has got a higher fence since: the server leaves
 *   under the highest that it has had here; PREEMPTED when a deletion took over first; OPERATION_IN_PROGRESS
 *   while something runs in another lane, or its pre-empted owner is still at work: it could not go with it
 */
export async function promiseServer(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  asked: Promising,
): Promise<Promised> {
  const { t } = store;
  const { name, target, generation } = asked;
  const id = operationIdOf(name);
  const answer = await store.db.write(ctx, "handover.promise", async (tx): Promise<Promised> => {
    const before = await promisedBefore(store, tx, asked);
    if (before !== undefined) return before;
    const row = await lockOwned(store, tx, name, asked.fence);
    const beside = await underWay(store, deps, tx, row);
    if (beside !== undefined)
      throw CellsErrors.OPERATION_IN_PROGRESS({
        server: row.server_id,
        operation: operationName(row.server_id, beside),
      });
    if (BigInt(row.i_operation_fence) !== asked.fence) throw CellsErrors.FENCE_LOST({ operation: name });
    if (generation !== 0n && BigInt(row.i_generation) !== generation) return stale(instanceOf(row));
    const signals = await pendingSignals(store, tx, id);
    await sql`UPDATE ${t.operation} AS o SET ${handedOver(deps, target)} WHERE o.id = ${id}`.execute(tx);
    await sql`UPDATE ${t.instance} SET leaving_to = ${target} WHERE id = ${row.server_id}`.execute(tx);
    return promised({ cancelRequested: row.cancel_requested, signals });
  });
  store.recent.drop(id);
  return answer;
}

/**
 * Another operation of the server that is under way: one that has not ended, or was pre-empted and whose
 * owner has neither come to rest nor counts as dead.
 */
async function underWay(
  { t }: Store,
  { clock }: StoreDeps,
  tx: Tx,
  { id, server_id }: OperationRow,
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    SELECT id FROM ${t.operation} WHERE server_id = ${server_id} AND id <> ${id}
      AND (state IN ('running', 'parked', 'undoing') OR (state = 'preempted' AND owner <> '' AND ready_at > ${clock.now()})) LIMIT 1`.execute(
    tx,
  );
  return rows[0]?.id;
}

/** The source's answer to somebody who found a copy. @returns undefined when it has promised nothing */
export const lateNewsOf = (
  store: Store,
  ctx: Ctx,
  asked: Pick<Promising, "name" | "target">,
  fence: number,
): Promise<LateNews | undefined> =>
  store.db.read(ctx, "handover.ask", async (tx) => {
    const before = await promisedBefore(store, tx, { ...asked, fence: BigInt(fence) }).catch(() => undefined);
    return before?.late;
  });

/**
 * A promise that was made before: the answer of that was lost. @returns undefined when the operation is as it
 * was @throws FENCE_LOST, PREEMPTED
 */
async function promisedBefore(
  store: Store,
  tx: Tx,
  { name, fence, target }: Pick<Promising, "name" | "fence" | "target">,
): Promise<Promised | undefined> {
  const id = operationIdOf(name);
  const {
    rows: [row],
  } = await sql<
    Pick<OperationRow, "state" | "fence" | "handed_over_to" | "cancel_requested">
  >`SELECT state, fence, handed_over_to, cancel_requested FROM ${store.t.operation} WHERE id = ${id}`.execute(
    tx,
  );
  if (row?.state === "preempted") throw CellsErrors.PREEMPTED({ operation: name });
  if (row === undefined || BigInt(row.fence) !== fence) throw CellsErrors.FENCE_LOST({ operation: name });
  if (row.state !== "handed-over") return undefined;
  if (row.handed_over_to !== target) throw CellsErrors.FENCE_LOST({ operation: name });
  return promised({
    cancelRequested: row.cancel_requested,
    signals: await pendingSignals(store, tx, id),
  });
}

const sameGeneration = ({ generation }: Promising): Sql =>
  generation === 0n ? sql`true` : sql`i.generation = ${Number(generation)}`;

const handedOver = ({ clock }: StoreDeps, target: string): Sql =>
  sql`state = 'handed-over', handed_over_to = ${target}, owner = '', ready_at = NULL, secrets = NULL, updated_at = ${clock.now()}`;
