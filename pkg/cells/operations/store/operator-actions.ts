import { sql } from "../../store/sql.js";
import type { AcceptedKind, StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { parseOperationName } from "../../../model/operation-name.js";
import { applyChange } from "../../servers/domain/apply-change.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import { abandoned, decreed, retried, serverAfter, stranded } from "../domain/decree.js";
import type { Decree } from "../domain/decree.js";
import { LIFE, closesLanes, opensLanes } from "../domain/lanes.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { CellsErrors } from "../../errors.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { endedWaiting, heldWhenCut } from "../domain/ended-early.js";
import { endMigrations } from "./end-migrations.js";
import { cutEventsPart, endingParts, liveBeside, passTurns } from "./lanes.js";
import { nameOf, toStored, withOtherOperationFields } from "../domain/operation-rows.js";
import { outboxPart } from "../../store/outbox.js";
import { instanceOf, isLiveWord, lockOperation, operationColumns } from "./owned-operation.js";
import type { JoinedRow, OperationRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";

/** @throws OPERATION_NOT_FOUND; SERVER_MOVED when it leaves with its server: what is written here is lost */
async function lockExisting(store: Store, tx: Tx, name: string): Promise<JoinedRow> {
  const row = await lockOperation(store, tx, name);
  if (row === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: name });
  if (row.i_leaving_to !== "") throw CellsErrors.SERVER_MOVED({ server: row.server_id });
  return row;
}

/**
 * Asks an operation to cancel; one that is parked wakes up for it, one that waits for its turn ends at once.
 * One that has ended stays as it is.
 * @throws as `lockExisting`
 */
export async function requestCancel(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
): Promise<StoredOperation> {
  return store.db.write(ctx, "operations.cancel", async (tx) => {
    const row = await lockExisting(store, tx, name);
    if (!isLiveWord(row.state)) return toStored(row);
    const now = deps.clock.now();
    if (row.turn > 0) {
      const ended = endedWaiting(row, "cancelled", CellsErrors.OPERATION_CANCELLED({ operation: name }), now);
      await endMigrations(store, deps, tx, [ended], row.i_current_operation, now);
      const parts = endingParts(store, [ended], now);
      await allTogether([...parts, outboxPart(store.t, deps.ids, [operationChanged(ended)], now)]).execute(
        tx,
      );
      return toStored(ended);
    }
    const changes = {
      cancel_requested: true,
      ready_at: row.state === "parked" ? now : row.ready_at,
      updated_at: now,
    };
    await sql`UPDATE ${store.t.operation} SET ${assignments(changes)} WHERE id = ${row.id}`.execute(tx);
    return toStored({ ...row, ...changes });
  });
}

/**
 * Name of what runs where an operation would go on: in its lane, or in the lane "life" with all others
 * closed; "" for nothing.
 */
async function inTheWay(store: Store, deps: StoreDeps, tx: Tx, row: JoinedRow): Promise<string> {
  if (row.lane === LIFE) return row.i_current_operation;
  const {
    rows: [closing],
  } = await sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o
    WHERE o.id = ${parseOperationName(row.i_current_operation)?.operationId ?? ""}`.execute(tx);
  if (closing !== undefined && closesLanes(deps.operations.find(closing.kind), closing.input))
    return row.i_current_operation;
  const live = await liveBeside(store, tx, row.server_id);
  const rival = live.find(({ lane, turn }) => lane === row.lane && turn === 0);
  return rival === undefined ? "" : nameOf(rival);
}

/** Stores a server's record, when it changes, and tells of it and of its operation. */
function changeParts(
  { t }: Store,
  deps: StoreDeps,
  operation: OperationRow,
  record: InstanceRecord | undefined,
  more: { readonly operation_fence?: number },
  now: Instant,
): Part[] {
  if (record === undefined) return [outboxPart(t, deps.ids, [operationChanged(operation)], now)];
  const columns = instanceColumns(record);
  return [
    {
      name: "inst",
      body: sql`UPDATE ${t.instance} SET ${assignments({ ...columns, ...more })} WHERE id = ${operation.server_id}`,
    },
    outboxPart(t, deps.ids, [instanceChanged(record, columns, "changed"), operationChanged(operation)], now),
  ];
}

/**
 * Puts an operation that waits for an operator back to work where it stopped.
 * @throws NOT_NEEDING_OPERATOR; OPERATION_IN_PROGRESS when something else runs on the instance by now; what
 *   `lockExisting` throws
 */
export async function retryOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
): Promise<StoredOperation> {
  return store.db.write(ctx, "operations.retry", async (tx) => {
    const row = await lockExisting(store, tx, name);
    if (row.state !== "needs-operator") throw CellsErrors.NOT_NEEDING_OPERATOR({ operation: name });
    const rival = await inTheWay(store, deps, tx, row);
    if (rival !== "") throw CellsErrors.OPERATION_IN_PROGRESS({ server: row.server_id, operation: rival });
    const now = deps.clock.now();
    const changes = retried(row, now);
    const next: OperationRow = { ...row, ...changes };
    const record =
      row.lane === LIFE ? applyChange(loadRecord(instanceOf(row)), undefined, name, now) : undefined;
    await allTogether([
      {
        name: "op",
        body: sql`UPDATE ${store.t.operation} SET ${assignments(changes)} WHERE id = ${row.id}`,
      },
      actionPart(store, row, { updated_at: now, failed: false }),
      ...changeParts(store, deps, next, record, {}, now),
    ]).execute(tx);
    return toStored(next);
  });
}

/** What an operation shows in its server's timeline as a whole. */
const actionPart = (
  { t }: Store,
  { server_id, id }: OperationRow,
  changes: { readonly updated_at: Instant; readonly failed: boolean },
): Part => ({
  name: "act",
  body: sql`UPDATE ${t.instance_action} SET ${assignments(changes)} WHERE server_id = ${server_id} AND id = ${id}`,
});

/** An operation that was ended by decree, and those whose turn it is now. */
export interface Abandoned {
  readonly operation: StoredOperation;
  readonly next: readonly string[];
}

/**
 * Ends an operation by decree: FAILED, every older fence of it refused from now on. In the lane "life" the
 * instance is ERROR then; in others the next of the lane gets its turn. Repeatable.
 * @throws as `lockExisting`
 */
export async function abandonOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
  reason: string,
): Promise<Abandoned> {
  return store.db.write(ctx, "operations.abandon", async (tx) => {
    const row = await lockExisting(store, tx, name);
    if (!isLiveWord(row.state) && row.state !== "needs-operator")
      return { operation: toStored(row), next: [] };
    return decree(store, deps, tx, row, abandoned(reason));
  });
}

/** See `StrandOperationsResponse`. */
export const STRANDED_AT_ONCE = 20;

/**
 * Hands operations to an operator that are ready for long and of no kind and version that somebody runs.
 * @param kinds   those that the caller runs
 * @returns their names, 20 at most
 */
export async function strandOperations(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  { kinds, olderThanMs }: { readonly kinds: readonly AcceptedKind[]; readonly olderThanMs: number },
): Promise<string[]> {
  const { t } = store;
  const since = deps.clock.now() - BigInt(olderThanMs) * 1000n;
  const known = sql.join([
    sql`('', 0)`,
    ...kinds.map(({ kind, version }) => sql`(${kind}::text, ${version}::int)`),
  ]);
  const { rows } = await store.db.statement(ctx, "operations.unclaimed", (db) =>
    sql<Pick<OperationRow, "id" | "subject" | "server_id">>`SELECT id, subject, server_id FROM ${t.operation}
      WHERE ready_at <= ${since} AND state IN ('running', 'parked', 'undoing')
        AND NOT (kind, kind_version) IN (${known}) ORDER BY ready_at LIMIT ${STRANDED_AT_ONCE}`.execute(db),
  );
  const names: string[] = [];
  for (const one of rows) {
    const name = nameOf(one);
    const isStranded = await store.db.write(ctx, "operations.strand", async (tx) => {
      const row = await lockOperation(store, tx, name);
      const readyAt = row?.ready_at ?? undefined;
      if (row === undefined || readyAt === undefined || readyAt > since || !isLiveWord(row.state))
        return false;
      await decree(store, deps, tx, row, stranded(row.kind, row.kind_version));
      return true;
    });
    if (isStranded) names.push(name);
  }
  return names;
}

/**
 * Ends or halts an operation from outside: every older fence of it is refused from now on, and its timeline
 * shows nothing as running. In the lane "life" the server goes to ERROR; in others the next of the lane gets
 * its turn. With the end, its migration ends, and what the server holds by its record is kept for its claim
 * on quota. What is only halted still moves and holds: a retry goes on with it.
 */
async function decree(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  row: JoinedRow,
  why: Decree,
): Promise<Abandoned> {
  const now = deps.clock.now();
  const name = nameOf(row);
  const before = row.subject === "server" ? loadRecord(instanceOf(row)) : undefined;
  const ends = why.state === "failed";
  const held = ends ? heldWhenCut(row, before && serverOf(before)) : {};
  const changes = {
    ...decreed(row, why, now),
    other_fields: ends ? withOtherOperationFields(row.other_fields, held) : row.other_fields,
  };
  const ended: OperationRow = { ...row, ...changes };
  const record =
    before && serverAfter(before, { lane: row.lane, name, owner: row.i_current_operation }, why, now);
  if (ends) await endMigrations(store, deps, tx, [ended], row.i_current_operation, now);
  await allTogether([
    {
      name: "op",
      body: sql`UPDATE ${store.t.operation} SET ${assignments(changes)} WHERE id = ${row.id}`,
    },
    cutEventsPart(store, [ended], now),
    actionPart(store, row, { updated_at: now, failed: true }),
    ...changeParts(store, deps, ended, record, { operation_fence: row.i_operation_fence + 1 }, now),
  ]).execute(tx);
  const passes = row.lane !== LIFE || opensLanes(deps.operations, row, row.i_current_operation);
  const next = passes ? await passTurns(store, deps, tx, row, record ?? before, now) : [];
  return { operation: toStored(ended), next };
}
