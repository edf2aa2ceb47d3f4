import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { StoredSignal } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { merged } from "../../../kernel/merged.js";
import { parseOperationName } from "../../../model/operation-name.js";
import type { OperationIds, SubjectKind } from "../../../model/operation-name.js";
import { LIFE } from "../domain/lanes.js";
import { CellsErrors } from "../../errors.js";
import type { InstanceRow, JoinedRow, OperationRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";

/** All columns of `operation`, for statements that read whole rows. */
const OPERATION_COLUMNS = [
  "id",
  "subject",
  "server_id",
  "project_id",
  "kind",
  "kind_version",
  "action",
  "request_id",
  "actor",
  "traceparent",
  "input",
  "secrets",
  "state",
  "current_step",
  "undo_until",
  "steps",
  "generation",
  "fence",
  "owner",
  "ready_at",
  "deadline",
  "waiting_for",
  "cancel_requested",
  "error",
  "preempts",
  "preempted",
  "handed_over_to",
  "other_fields",
  "lane",
  "turn",
  "progress",
  "created_at",
  "updated_at",
] as const satisfies readonly (keyof OperationRow)[];

const INSTANCE_COLUMNS = [
  "generation",
  "current_operation",
  "operation_fence",
  "leaving_to",
  "number",
  "server",
  "details",
  "user_data",
] as const satisfies readonly (keyof InstanceRow)[];

export const operationColumns = (alias: string) =>
  sql.join(OPERATION_COLUMNS.map((column) => sql.ref(`${alias}.${column}`)));
const instanceColumnsPrefixed = (alias: string): Sql =>
  sql.join(
    INSTANCE_COLUMNS.map((column) => sql`${sql.ref(`${alias}.${column}`)} AS ${sql.ref(`i_${column}`)}`),
  );

/** What stands in a joined row where a subject that is no server has nothing. */
const ABSENT: Readonly<Record<Exclude<keyof InstanceRow, "operation_fence">, Sql>> = {
  generation: sql`0::int8`,
  current_operation: sql`''::text`,
  leaving_to: sql`''::text`,
  number: sql`0::int8`,
  server: sql`''::bytea`,
  details: sql`''::bytea`,
  user_data: sql`NULL::bytea`,
};

const subjectColumnsPrefixed = (alias: string): Sql =>
  sql.join(
    INSTANCE_COLUMNS.map(
      (column) =>
        sql`${column === "operation_fence" ? sql.ref(`${alias}.${column}`) : ABSENT[column]} AS ${sql.ref(`i_${column}`)}`,
    ),
  );

/** The row that is locked for a subject's operations and mints their fences: a server's is its own record. */
export interface Holder {
  readonly table: Sql;
  /** Its half of a joined row. */
  readonly columns: (alias: string) => Sql;
}

export const holderOf = ({ t }: Store, subject: SubjectKind): Holder =>
  subject === "server"
    ? { table: t.instance, columns: instanceColumnsPrefixed }
    : { table: t.operation_subject, columns: subjectColumnsPrefixed };

/** The instance's half of a joined row. */
export const instanceOf = (row: JoinedRow): InstanceRow => ({
  generation: row.i_generation,
  current_operation: row.i_current_operation,
  operation_fence: row.i_operation_fence,
  leaving_to: row.i_leaving_to,
  number: row.i_number,
  server: row.i_server,
  details: row.i_details,
  user_data: row.i_user_data,
});

/** A joined row out of its halves. */
export const joinRows = (operation: OperationRow, instance: InstanceRow): JoinedRow =>
  merged(operation, {
    i_generation: instance.generation,
    i_current_operation: instance.current_operation,
    i_operation_fence: instance.operation_fence,
    i_leaving_to: instance.leaving_to,
    i_number: instance.number,
    i_server: instance.server,
    i_details: instance.details,
    i_user_data: instance.user_data,
  });

/** What a name says. @throws OPERATION_NOT_FOUND when the text is no operation's name */
export function idsOf(name: string): OperationIds {
  const ids = parseOperationName(name);
  if (ids === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: name });
  return ids;
}

/** The operation's uuid. @throws OPERATION_NOT_FOUND when the text is no operation's name */
export const operationIdOf = (name: string): string => idsOf(name).operationId;

/**
 * Reads an operation and its holder, and locks both rows until the transaction ends: the holder first, as
 * everybody does. Rows are locked in the order in which their tables stand.
 * @returns undefined when there is no such operation here
 */
export async function lockOperation(store: Store, tx: Tx, name: string): Promise<JoinedRow | undefined> {
  const { subject, operationId } = idsOf(name);
  const holder = holderOf(store, subject.kind);
  const { rows } = await sql<JoinedRow>`SELECT ${operationColumns("o")}, ${holder.columns("i")}
    FROM ${holder.table} AS i JOIN ${store.t.operation} AS o ON i.id = o.server_id WHERE o.id = ${operationId} FOR UPDATE`.execute(
    tx,
  );
  return rows[0];
}

const LIVE = new Set(["running", "parked", "undoing"]);

/** Whether a stored state still owns its subject. */
export const isLiveWord = (state: string): boolean => LIVE.has(state);

/**
 * As `lockOperation`, for its owner.
 * @throws FENCE_LOST when the fence is not the newest, or when something else owns the instance
 */
export async function lockOwned(store: Store, tx: Tx, name: string, fence: bigint): Promise<JoinedRow> {
  return ownedUnder(await lockOperation(store, tx, name), name, fence);
}

/** The row when its owner may write it under a fence. @throws as `lockOwned` */
export function ownedUnder(row: JoinedRow | undefined, name: string, fence: bigint): JoinedRow {
  const owned =
    row !== undefined &&
    BigInt(row.fence) === fence &&
    isLiveWord(row.state) &&
    (row.lane === LIFE ? row.i_current_operation === name : row.turn === 0);
  if (!owned) throw CellsErrors.FENCE_LOST({ operation: name });
  return row;
}

/** Signals that nobody has consumed yet, oldest first. */
export async function pendingSignals(store: Store, tx: Tx, operationId: string): Promise<StoredSignal[]> {
  const { rows } = await sql<{
    signal_id: string;
    kind: string;
    payload: Buffer;
  }>`SELECT signal_id, kind, payload FROM ${store.t.operation_signal}
    WHERE operation_id = ${operationId} AND consumed_at IS NULL ORDER BY created_at, signal_id`.execute(tx);
  return rows.map(({ signal_id, kind, payload }) => ({ id: signal_id, kind, payload }));
}
