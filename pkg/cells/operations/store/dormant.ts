import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { encoded } from "../../domain/bytes.js";
import { CellsErrors } from "../../errors.js";
import { sealedRecords } from "../../servers/store/server-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import type { DormantRow } from "../../store/rows.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";
import type { Protocol } from "../domain/hand-over.js";
import { operationIdOf } from "./owned-operation.js";
import { readToken, writeToken } from "./read-operations.js";

/** What a target keeps until the source has committed. */
export interface DormantCopy {
  readonly protocol: Protocol;
  readonly sourceDatabase: string;
  readonly sourceFence: bigint;
  readonly operation: StoredOperation;
  readonly record: InstanceRecord;
  /** Sealed. */
  readonly userData: Buffer | null;
}

/**
 * Keeps a dormant copy, invisible to everybody until it wakes. A copy made under a higher fence stays, and
 * nothing is made once the server has been here under this fence or a higher one: that comes too late,
 * wherever the server is by now.
 * @returns what was stored
 * @throws FENCE_LOST when nothing was
 */
export async function storeDormant(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  copy: DormantCopy,
): Promise<DormantRow> {
  const { t } = store;
  const { operation, record } = copy;
  const id = operationIdOf(operation.name);
  const row = {
    operation_id: id,
    server_id: operation.serverId,
    source_database: copy.sourceDatabase,
    source_fence: Number(copy.sourceFence),
    operation: encoded(StoredOperation, { ...operation, secrets: Buffer.alloc(0) }),
    secrets: operation.secrets.length === 0 ? null : deps.box.seal(operation.secrets, id),
    instance: encoded(InstanceRecord, {
      ...record,
      encryptedUserData: Buffer.alloc(0),
      records: record.records && sealedRecords(deps.box, record.records),
    }),
    user_data: copy.userData === null || copy.userData.length === 0 ? null : copy.userData,
    created_at: deps.clock.now(),
    protocol: copy.protocol,
  };
  const columns = Object.entries(row);
  const { rows } = await store.db.statement(ctx, "handover.prepare", (db) =>
    sql`
    INSERT INTO ${t.dormant_operation} (${sql.join(columns.map(([column]) => sql.ref(column)))})
    SELECT ${sql.join(columns.map(([column, value]) => sql`${value}${TYPES[column] ?? sql``}`))}
    WHERE NOT EXISTS (SELECT 1 FROM ${t.operation} WHERE server_id = ${operation.serverId} AND fence >= ${row.source_fence}::int8)
    ON CONFLICT (operation_id) DO UPDATE SET
      source_database = excluded.source_database, source_fence = excluded.source_fence, operation = excluded.operation, secrets = excluded.secrets,
      instance = excluded.instance, user_data = excluded.user_data, created_at = excluded.created_at, protocol = excluded.protocol,
      activated = false
      WHERE ${t.dormant_operation}.source_fence <= excluded.source_fence
        AND (NOT ${t.dormant_operation}.activated OR ${t.dormant_operation}.source_fence < excluded.source_fence)
    RETURNING 1`.execute(db),
  );
  if (rows.length === 0) throw CellsErrors.FENCE_LOST({ operation: operation.name });
  return { ...row, activated: false };
}

/** Parameters of a SELECT list are text unless told otherwise. */
const TYPES: Readonly<Record<string, Sql>> = {
  source_fence: sql`::int8`,
  operation: sql`::bytea`,
  secrets: sql`::bytea`,
  instance: sql`::bytea`,
  user_data: sql`::bytea`,
  created_at: sql`::timestamptz`,
};

/** A server that goes to another database with one of its operations. */
export interface Moved {
  readonly serverId: string;
  readonly operationId: string;
}

/** A dormant copy, as far as it concerns others. */
export interface FoundCopy extends Moved {
  readonly sourceDatabase: string;
  readonly sourceFence: number;
  readonly protocol: Protocol;
  readonly activated: boolean;
}

const FOUND = sql`operation_id, server_id, source_database, source_fence, protocol, activated`;
type FoundRow = Pick<
  DormantRow,
  "operation_id" | "server_id" | "source_database" | "source_fence" | "protocol" | "activated"
>;
const foundCopy = (row: FoundRow): FoundCopy => ({
  operationId: row.operation_id,
  serverId: row.server_id,
  sourceDatabase: row.source_database,
  sourceFence: row.source_fence,
  protocol: row.protocol,
  activated: row.activated,
});

/** The copy of an operation; undefined when there is none (any more). */
export async function findCopy(store: Store, ctx: Ctx, operationId: string): Promise<FoundCopy | undefined> {
  const { rows } = await store.db.statement(ctx, "handover.find", (db) =>
    sql<FoundRow>`SELECT ${FOUND} FROM ${store.t.dormant_operation} WHERE operation_id = ${operationId}`.execute(
      db,
    ),
  );
  return rows[0] && foundCopy(rows[0]);
}

/** The copies of a server, newest first: those of earlier moves may not be forgotten yet. */
export async function findCopies(store: Store, ctx: Ctx, serverId: string): Promise<FoundCopy[]> {
  const { rows } = await store.db.statement(ctx, "handover.find", (db) =>
    sql<FoundRow>`SELECT ${FOUND} FROM ${store.t.dormant_operation} WHERE server_id = ${serverId} ORDER BY source_fence DESC`.execute(
      db,
    ),
  );
  return rows.map(foundCopy);
}

/** Which old copies are asked for. */
export interface OldCopies {
  readonly olderThanMs: number;
  /** Of an earlier page; "" for the first. */
  readonly pageToken: string;
  readonly pageSize?: number;
}

/** One of them. */
export interface OldCopy extends FoundCopy {
  /** For a page that begins after it. */
  readonly pageToken: string;
}

/** A page of old copies. */
export interface OldCopiesPage {
  readonly copies: readonly OldCopy[];
  /** "" after the last page. */
  readonly nextPageToken: string;
}

/** Copies that are older than `olderThanMs`, the oldest first. @throws INVALID_ARGUMENT for another token */
export async function oldCopies(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  { olderThanMs, pageToken, pageSize = 500 }: OldCopies,
): Promise<OldCopiesPage> {
  const before = deps.clock.now() - BigInt(olderThanMs) * 1000n;
  const last = readToken(pageToken);
  const after = last && sql` AND (created_at, operation_id) > (${last.at}::timestamptz, ${last.id})`;
  const { rows } = await store.db.statement(ctx, "handover.list", (db) =>
    sql<FoundRow & Pick<DormantRow, "created_at">>`
    SELECT ${FOUND}, created_at FROM ${store.t.dormant_operation}
    WHERE created_at <= ${before}${after ?? sql``} ORDER BY created_at, operation_id LIMIT ${pageSize}`.execute(
      db,
    ),
  );
  const copies = rows.map((row) => ({
    ...foundCopy(row),
    pageToken: writeToken(row.created_at, row.operation_id),
  }));
  return { copies, nextPageToken: rows.length < pageSize ? "" : (copies.at(-1)?.pageToken ?? "") };
}

/** A copy and the fence that it was made under: one of a later hand-over is another. */
export type CopyName = Pick<FoundCopy, "operationId" | "sourceFence">;

/**
 * Forgets copies, after their source has forgotten the record. Repeatable; what was copied anew since stays.
 */
export async function dropCopies(store: Store, ctx: Ctx, copies: readonly CopyName[]): Promise<void> {
  const ids = copies.map(({ operationId }) => operationId);
  const fences = copies.map(({ sourceFence }) => sourceFence);
  await store.db.statement(ctx, "handover.drop", (db) =>
    sql`DELETE FROM ${store.t.dormant_operation} AS d USING unnest(${ids}::text[], ${fences}::int8[]) AS old (id, fence)
      WHERE d.operation_id = old.id AND d.source_fence = old.fence`.execute(db),
  );
}

/** Forgets a copy whose source says that it never handed over. Repeatable; one that woke stays. */
export async function dropDormant(store: Store, ctx: Ctx, operationId: string): Promise<void> {
  await store.db.statement(ctx, "handover.drop", (db) =>
    sql`DELETE FROM ${store.t.dormant_operation} WHERE operation_id = ${operationId} AND NOT activated`.execute(
      db,
    ),
  );
}
