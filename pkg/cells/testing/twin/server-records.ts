import type {
  GetMigrationRequest,
  GetMigrationResponse,
  ListBlockDevicesRequest,
  ListBlockDevicesResponse,
  ListMigrationsRequest,
  ListMigrationsResponse,
  ServerRecordsServiceDefinition,
} from "../../../../gen/kilonova/cells/v1/server_records_service.js";
import { BlockDeviceRecord, MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestamp } from "../../../model/wire-time.js";
import { sqlTime } from "../../../platform/db/index.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { CellsErrors } from "../../errors.js";
import { readToken, writeToken } from "../../store/page-tokens.js";
import { bootDevices } from "../../servers/domain/block-devices.js";
import { loadRecord } from "../../servers/domain/records.js";
import { closed, requireNamed } from "../../servers/store/list-server-rows.js";
import { openedDevice } from "../../servers/store/server-rows.js";
import { pageOf } from "../../store/page.js";
import type { TwinDatabase } from "./database.js";
import { bytewise, pageSize } from "./order.js";
import type { TwinState } from "./state.js";

/** Rows that belong to servers. */
export const serverRecordsHandlers = (twin: TwinState): Handlers<ServerRecordsServiceDefinition> => ({
  listBlockDevices: async ({ peer }, request) =>
    listBlockDevices(twin, request, request.withConnectionInfo && peer.service === "conductor"),
  listMigrations: async (_ctx, request) => listMigrations(twin.database(request.database), request),
  getMigration: async (_ctx, request) => getMigration(twin.database(request.database), request),
});

const createdAt = ({ createdAt: at }: Pick<MigrationRecord, "createdAt">): Instant =>
  at === undefined ? 0n : fromTimestamp(at);

/** @param open  whether the caller may see how volumes are reached */
function listBlockDevices(
  twin: TwinState,
  request: ListBlockDevicesRequest,
  open: boolean,
): ListBlockDevicesResponse {
  requireNamed(request);
  const { serverId, volumeId } = request;
  const database = twin.database(request.database);
  const after = readToken(request.pageToken);
  const nameOf = (device: BlockDeviceRecord): string =>
    `${device.deviceName} ${device.serverId} ${device.id}`;
  const placeOf = (device: BlockDeviceRecord): string => sqlTime(createdAt(device)) + nameOf(device);
  const rows = [...database.devices.values()]
    .flat()
    .filter(
      (device) =>
        device.deletedAt === undefined &&
        (serverId === "" || device.serverId === serverId) &&
        (volumeId === "" || device.volumeId === volumeId) &&
        (after === undefined || bytewise(placeOf(device), after.at + after.id) > 0),
    )
    .sort((a, b) => bytewise(placeOf(a), placeOf(b)));
  if (rows.length === 0 && volumeId === "" && after === undefined)
    return { blockDevices: unwrittenDevices(database, serverId), nextPageToken: "" };
  const { page, more } = pageOf(
    rows,
    pageSize(request.pageSize),
    (device) => BlockDeviceRecord.encode(device).finish().length,
  );
  const last = page.at(-1);
  return {
    blockDevices: page.map((device) => (open ? openedDevice(twin.deps, device) : closed(device))),
    nextPageToken: more && last !== undefined ? writeToken(createdAt(last), nameOf(last)) : "",
  };
}

/** What a server without any rows, ended ones included, is made of. */
function unwrittenDevices({ devices, instances }: TwinDatabase, serverId: string): BlockDeviceRecord[] {
  const row = instances.get(serverId);
  if (row === undefined || row.deleted || row.leaving_to !== "" || devices.has(serverId)) return [];
  return bootDevices(loadRecord({ ...row, user_data: null }), () => "");
}

const placeOf = (record: MigrationRecord): string => sqlTime(createdAt(record)) + record.id;
const newestFirst = (a: MigrationRecord, b: MigrationRecord): number => bytewise(placeOf(b), placeOf(a));

function listMigrations(
  { migrations }: TwinDatabase,
  request: ListMigrationsRequest,
): ListMigrationsResponse {
  const after = readToken(request.pageToken);
  const rows = [...migrations.values()]
    .filter(
      (record) =>
        fits(record, request) && (after === undefined || bytewise(placeOf(record), after.at + after.id) < 0),
    )
    .sort(newestFirst);
  const { page, more } = pageOf(
    rows,
    pageSize(request.pageSize),
    (record) => MigrationRecord.encode(record).finish().length,
  );
  return { rows: page.map(rowOf), more };
}

const rowOf = (migration: MigrationRecord): { migration: MigrationRecord; pageToken: string } => ({
  migration,
  pageToken: writeToken(createdAt(migration), migration.id),
});

function fits(record: MigrationRecord, query: ListMigrationsRequest): boolean {
  const [source, target] = [record.source?.host ?? "", record.target?.host ?? ""];
  const changed = record.updatedAt === undefined ? createdAt(record) : fromTimestamp(record.updatedAt);
  const { serverIds, host, sourceHost, statuses, kinds, changesSince, changesBefore } = query;
  return (
    (query.withDeleted || record.deletedAt === undefined) &&
    (serverIds.length === 0 || serverIds.includes(record.serverId)) &&
    (host === "" || source === host || target === host) &&
    (sourceHost === "" || source === sourceHost) &&
    (statuses.length === 0 || statuses.includes(record.status)) &&
    (kinds.length === 0 || kinds.includes(record.kind)) &&
    (query.projectId === "" || record.projectId === query.projectId) &&
    (query.userId === "" || record.userId === query.userId) &&
    (query.hidden === undefined || record.hidden === query.hidden) &&
    (changesSince === undefined || changed >= fromTimestamp(changesSince)) &&
    (changesBefore === undefined || changed <= fromTimestamp(changesBefore))
  );
}

/** By uuid or, of one server, by number. @throws MIGRATION_NOT_FOUND */
function getMigration(
  { migrations }: TwinDatabase,
  { serverId, migrationId }: GetMigrationRequest,
): GetMigrationResponse {
  const byNumber = serverId !== "" && /^\d{1,15}$/.test(migrationId);
  const [record] = [...migrations.values()]
    .filter(
      (one) =>
        (byNumber ? String(one.number) === String(Number(migrationId)) : one.id === migrationId) &&
        (serverId === "" || one.serverId === serverId) &&
        one.deletedAt === undefined,
    )
    .sort(newestFirst);
  if (record === undefined) throw CellsErrors.MIGRATION_NOT_FOUND({ migration: migrationId });
  return rowOf(record);
}
