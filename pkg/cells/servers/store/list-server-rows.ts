import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type {
  GetMigrationRequest,
  GetMigrationResponse,
  ListBlockDevicesRequest,
  ListBlockDevicesResponse,
  ListMigrationsRequest,
  ListMigrationsResponse,
} from "../../../../gen/kilonova/cells/v1/server_records_service.js";
import type { BlockDeviceRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestamp } from "../../../model/wire-time.js";
import { CellsErrors } from "../../errors.js";
import { readToken, writeToken } from "../../store/page-tokens.js";
import { bootDevices } from "../domain/block-devices.js";
import { loadRecord } from "../domain/records.js";
import type { StoreDeps } from "../../store/deps.js";
import { pageOf } from "../../store/page.js";
import type { InstanceRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";
import { openedDevice, toDevice, toMigration } from "./server-rows.js";

const MOST = 1000;
const limitOf = (pageSize: number): number => Math.min(MOST, pageSize === 0 ? MOST : pageSize);

interface DeviceRow {
  readonly created_at: Instant;
  readonly place: string;
  readonly body: Buffer;
  readonly deleted_at: Instant | null;
}

/** Order of devices that a server got at once. */
const PLACE = sql`device_name || ' ' || server_id || ' ' || id`;

/**
 * The present devices of a server, or of a volume, oldest first. A server without rows is a build request, or
 * an older build has made it: its devices are told from its record, without ids.
 * @param open  whether the caller may see how volumes are reached
 * @throws INVALID_ARGUMENT when neither is named, and for a token of another list
 */
export async function listBlockDevices(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: ListBlockDevicesRequest,
  open: boolean,
): Promise<ListBlockDevicesResponse> {
  const { serverId, volumeId, pageToken } = request;
  requireNamed(request);
  const limit = limitOf(request.pageSize);
  const after = readToken(pageToken);
  const { t } = store;
  return store.db.read(ctx, "block-devices.list", async (tx) => {
    const conditions = [
      sql`deleted_at IS NULL`,
      ...(serverId === "" ? [] : [sql`server_id = ${serverId}`]),
      ...(volumeId === "" ? [] : [sql`volume_id = ${volumeId}`, sql`volume_id <> ''`]),
      ...(after === undefined ? [] : [sql`(created_at, ${PLACE}) > (${after.at}::timestamptz, ${after.id})`]),
    ];
    const { rows } =
      await sql<DeviceRow>`SELECT created_at, ${PLACE} AS place, body, deleted_at FROM ${t.block_device} WHERE ${sql.join(conditions, sql` AND `)}
        ORDER BY created_at, ${PLACE} LIMIT ${limit + 1}`.execute(tx);
    if (rows.length === 0 && volumeId === "" && after === undefined)
      return { blockDevices: await unwrittenDevices(store, tx, serverId), nextPageToken: "" };
    const { page, more } = pageOf(rows, limit, ({ body }) => body.length);
    const last = page.at(-1);
    return {
      blockDevices: page.map(toDevice).map((device) => (open ? openedDevice(deps, device) : closed(device))),
      nextPageToken: more && last !== undefined ? writeToken(last.created_at, last.place) : "",
    };
  });
}

/** @throws INVALID_ARGUMENT when neither a server nor a volume is named */
export function requireNamed({
  serverId,
  volumeId,
}: Pick<ListBlockDevicesRequest, "serverId" | "volumeId">): void {
  if (serverId === "" && volumeId === "")
    throw CommonErrors.INVALID_ARGUMENT({
      field: "server_id",
      problem: "a server or a volume must be named",
    });
}

export const closed = (device: BlockDeviceRecord): BlockDeviceRecord => ({
  ...device,
  encryptedConnectionInfo: Buffer.alloc(0),
});

/** What a server without any rows, ended ones included, is made of. */
async function unwrittenDevices({ t }: Store, tx: Tx, serverId: string): Promise<BlockDeviceRecord[]> {
  const { rows } = await sql<InstanceRow>`SELECT number, server, details FROM ${t.instance}
    WHERE id = ${serverId} AND deleted_at IS NULL AND leaving_to = ''
      AND NOT EXISTS (SELECT 1 FROM ${t.block_device} WHERE server_id = ${serverId})`.execute(tx);
  const [row] = rows;
  return row === undefined ? [] : bootDevices(loadRecord({ ...row, user_data: null }), () => "");
}

interface MigrationRowOf {
  readonly id: string;
  readonly created_at: Instant;
  readonly body: Buffer;
  readonly deleted_at: Instant | null;
}

/**
 * Newest first; those of deleted servers only when asked for.
 * @throws INVALID_ARGUMENT for a token of another list
 */
export async function listMigrations(
  store: Store,
  ctx: Ctx,
  request: ListMigrationsRequest,
): Promise<ListMigrationsResponse> {
  const limit = limitOf(request.pageSize);
  return store.db.read(ctx, "migrations.list", async (tx) => {
    const after = readToken(request.pageToken);
    const place =
      after === undefined ? [] : [sql`(created_at, id) < (${after.at}::timestamptz, ${after.id})`];
    const where = sql.join([sql`true`, ...conditionsOf(request), ...place], sql` AND `);
    const { rows } =
      await sql<MigrationRowOf>`SELECT id, created_at, body, deleted_at FROM ${store.t.migration} WHERE ${where}
        ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}`.execute(tx);
    const { page, more } = pageOf(rows, limit, ({ body }) => body.length);
    return {
      rows: page.map((row) => ({
        migration: toMigration(row),
        pageToken: writeToken(row.created_at, row.id),
      })),
      more,
    };
  });
}

function conditionsOf(request: ListMigrationsRequest): Sql[] {
  const { serverIds, host, sourceHost, statuses, kinds, projectId, userId, hidden } = request;
  const { changesSince, changesBefore } = request;
  return [
    ...(request.withDeleted ? [] : [sql`deleted_at IS NULL`]),
    ...(serverIds.length === 0 ? [] : [sql`server_id = ANY(${serverIds}::text[])`]),
    ...(host === "" ? [] : [sql`(source_host = ${host} OR target_host = ${host})`]),
    ...(sourceHost === "" ? [] : [sql`source_host = ${sourceHost}`]),
    ...(statuses.length === 0 ? [] : [sql`status = ANY(${statuses}::text[])`]),
    ...(kinds.length === 0 ? [] : [sql`kind = ANY(${kinds}::int8[])`]),
    ...(projectId === "" ? [] : [sql`project_id = ${projectId}`]),
    ...(userId === "" ? [] : [sql`user_id = ${userId}`]),
    ...(hidden === undefined ? [] : [sql`hidden = ${hidden}`]),
    ...(changesSince === undefined ? [] : [sql`changed_at >= ${fromTimestamp(changesSince)}`]),
    ...(changesBefore === undefined ? [] : [sql`changed_at <= ${fromTimestamp(changesBefore)}`]),
  ];
}

/**
 * One migration and its place in lists, by its uuid or, of one server, its number.
 * @throws MIGRATION_NOT_FOUND
 */
export async function getMigration(
  { db, t }: Store,
  ctx: Ctx,
  { serverId, migrationId }: GetMigrationRequest,
): Promise<GetMigrationResponse> {
  const byNumber = serverId !== "" && /^\d{1,15}$/.test(migrationId);
  const which = byNumber ? sql`number = ${Number(migrationId)}` : sql`id = ${migrationId}`;
  const whose = serverId === "" ? sql`` : sql` AND server_id = ${serverId}`;
  const { rows } = await db.statement(ctx, "migrations.get", (at) =>
    sql<MigrationRowOf>`SELECT id, created_at, body, deleted_at FROM ${t.migration}
      WHERE ${which}${whose} AND deleted_at IS NULL ORDER BY created_at DESC LIMIT 1`.execute(at),
  );
  const [row] = rows;
  if (row === undefined) throw CellsErrors.MIGRATION_NOT_FOUND({ migration: migrationId });
  return { migration: toMigration(row), pageToken: writeToken(row.created_at, row.id) };
}
