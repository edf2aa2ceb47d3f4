import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { InstanceChange, InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { BlockDeviceRecord, MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { ServerRecords } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { GLOBAL } from "../../../model/database-names.js";
import { fromTimestampOrNull, toTimestampOrUnset } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { CellsErrors } from "../../errors.js";
import type { VolumeChange } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { bootDevices, changedVolume } from "../domain/block-devices.js";
import type { ChangedDevices } from "../domain/block-devices.js";
import { migrationIds } from "../domain/migrations.js";
import { NO_ROWS, touchesRows } from "../domain/plan-change.js";
import type { KnownRows, ServerRows } from "../domain/plan-change.js";
import { serverOf } from "../domain/records.js";
import type { StoreDeps } from "../../store/deps.js";
import { changing, inserting } from "../../store/fragments.js";
import type { ConditionalPart } from "../../store/fragments.js";
import type { Store, Tx } from "../../store/tables.js";

/** A row whose message and end stand apart. */
interface BodyRow {
  readonly body: Buffer;
  readonly deleted_at: Instant | null;
}

export const toDevice = ({ body, deleted_at }: BodyRow): BlockDeviceRecord => ({
  ...BlockDeviceRecord.decode(body),
  deletedAt: toTimestampOrUnset(deleted_at),
});

export const toMigration = ({ body, deleted_at }: BodyRow): MigrationRecord => ({
  ...MigrationRecord.decode(body),
  deletedAt: toTimestampOrUnset(deleted_at),
});

/**
 * What a change of rows is decided by. The caller has locked the server's row, so that nobody else changes
 * them.
 * @throws NOT_READY for a build request: its devices stand in its spec, and nothing of it moves yet
 * @cost none when the change touches no rows; else one or two statements
 */
export async function rowsFor(
  store: Store,
  { ids }: Pick<StoreDeps, "ids">,
  tx: Tx,
  record: InstanceRecord,
  operationId: string,
  change: InstanceChange | undefined,
): Promise<KnownRows> {
  if (!touchesRows(change)) return NO_ROWS;
  const serverId = serverOf(record).id;
  if (store.name === GLOBAL) throw CellsErrors.NOT_READY({ server: serverId });
  const devices = change.blockDevices.length === 0 ? undefined : await allDevices(store, tx, serverId);
  const migrations = await namedMigrations(store, tx, serverId, migrationIds(change.migrations, operationId));
  return { ...knownDevices(ids, record, devices), migrations };
}

/**
 * The present ones among a server's devices.
 * @param all  ended ones too; undefined when nobody asks for them
 */
export function knownDevices(
  ids: StoreDeps["ids"],
  record: InstanceRecord,
  all: readonly BlockDeviceRecord[] | undefined,
): Pick<KnownRows, "devices" | "unwritten"> {
  if (all?.length === 0) return { devices: bootDevices(record, () => ids.uuid()), unwritten: true };
  return {
    devices: (all ?? []).filter(({ deletedAt }) => deletedAt === undefined),
    unwritten: false,
  };
}

/**
 * A server's devices after a user's change of one at once, and those to be stored.
 * @throws NOT_READY for a build request; VOLUME_ATTACHMENT_NOT_FOUND
 */
export async function volumeChanged(
  store: Store,
  { ids }: Pick<StoreDeps, "ids">,
  tx: Tx,
  record: InstanceRecord,
  change: VolumeChange,
  now: Instant,
): Promise<ChangedDevices> {
  const serverId = serverOf(record).id;
  if (store.name === GLOBAL) throw CellsErrors.NOT_READY({ server: serverId });
  const known = knownDevices(ids, record, await allDevices(store, tx, serverId));
  const changed = changedVolume(known.devices, change, { serverId, now });
  return known.unwritten === true ? { ...changed, written: changed.present } : changed;
}

/** All that a server has and had, in the order in which it got them. */
async function allDevices({ t }: Store, tx: Tx, serverId: string): Promise<BlockDeviceRecord[]> {
  const { rows } = await sql<BodyRow>`SELECT body, deleted_at FROM ${t.block_device}
    WHERE server_id = ${serverId} ORDER BY created_at, device_name, id`.execute(tx);
  return rows.map(toDevice);
}

async function namedMigrations(
  { t }: Store,
  tx: Tx,
  serverId: string,
  ids: readonly string[],
): Promise<MigrationRecord[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<BodyRow>`SELECT body, deleted_at FROM ${t.migration}
    WHERE server_id = ${serverId} AND id = ANY(${ids}::text[])`.execute(tx);
  return rows.map(toMigration);
}

/**
 * Numbers for the migrations that a change may make; some stay unused when they are there already.
 * @cost none when it makes none; one statement for each 64
 */
export async function numbersFor(
  store: Store,
  ctx: Ctx,
  change: InstanceChange | undefined,
  more = 0,
): Promise<bigint[]> {
  const count = migrationsMade(change, more);
  const numbers: bigint[] = [];
  for (let taken = 0; taken < count; taken++) numbers.push(await store.migrationNumbers.next(ctx));
  return numbers;
}

/** How many migrations a change may make. @param more  beside those that it names */
export const migrationsMade = (change: InstanceChange | undefined, more = 0): number =>
  more + (change?.migrations ?? []).filter(({ create }) => create).length;

/** Parts that store rows, new ones and those that are there. */
export function rowParts(
  { t }: Store,
  { box }: Pick<StoreDeps, "box">,
  { devices, migrations }: ServerRows,
): ConditionalPart[] {
  const parts: ConditionalPart[] = [];
  if (devices.length > 0)
    parts.push(
      inserting(
        "devices",
        t.block_device,
        devices.map((device) => ({
          server_id: device.serverId,
          id: device.id,
          volume_id: device.volumeId,
          device_name: device.deviceName,
          created_at: fromTimestampOrNull(device.createdAt),
          deleted_at: fromTimestampOrNull(device.deletedAt),
          body: encoded(BlockDeviceRecord, sealedDevice(box, device)),
        })),
        overwriting("server_id, id", ["volume_id", "device_name", "deleted_at", "body"]),
      ),
    );
  if (migrations.length > 0)
    parts.push(
      inserting(
        "migrations",
        t.migration,
        migrations.map((record) => ({
          id: record.id,
          number: Number(record.number),
          server_id: record.serverId,
          project_id: record.projectId,
          user_id: record.userId,
          kind: record.kind,
          status: record.status,
          source_host: record.source?.host ?? "",
          target_host: record.target?.host ?? "",
          hidden: record.hidden,
          created_at: fromTimestampOrNull(record.createdAt),
          changed_at: fromTimestampOrNull(record.updatedAt ?? record.createdAt),
          deleted_at: fromTimestampOrNull(record.deletedAt),
          body: encoded(MigrationRecord, record),
        })),
        overwriting("id", [
          "status",
          "source_host",
          "target_host",
          "hidden",
          "changed_at",
          "deleted_at",
          "body",
        ]),
      ),
    );
  return parts;
}

/** What follows the values of an insert whose row may be there. @param key  columns, as SQL */
const overwriting = (key: string, columns: readonly string[]): Sql =>
  sql` ON CONFLICT (${sql.join(key.split(", ").map((column) => sql.ref(column)))}) DO UPDATE SET ${sql.join(
    columns.map((column) => sql`${sql.ref(column)} = ${sql.ref(`excluded.${column}`)}`),
  )}`;

/** What a connection info is bound to. */
const bound = ({ serverId, id }: BlockDeviceRecord): string => `${serverId}/${id}`;

export const sealedDevice = (box: StoreDeps["box"], device: BlockDeviceRecord): BlockDeviceRecord =>
  device.connectionInfo === ""
    ? device
    : {
        ...device,
        connectionInfo: "",
        encryptedConnectionInfo: box.seal(Buffer.from(device.connectionInfo), bound(device)),
      };

/** Rows that travel with a server. */
export const sealedRecords = (box: StoreDeps["box"], records: ServerRecords): ServerRecords => ({
  ...records,
  blockDevices: records.blockDevices.map((device) => sealedDevice(box, device)),
});

/** A device for who may see how its volume is reached. */
export const openedDevice = ({ box }: StoreDeps, device: BlockDeviceRecord): BlockDeviceRecord => ({
  ...device,
  encryptedConnectionInfo: Buffer.alloc(0),
  connectionInfo:
    device.encryptedConnectionInfo.length === 0
      ? ""
      : box.open(device.encryptedConnectionInfo, bound(device)).toString(),
});

/** Parts that end all rows of a server, with its record. */
export const endingRows = ({ t }: Store, serverId: string, now: Instant): ConditionalPart[] => [
  changing(
    "devices_end",
    sql`UPDATE ${t.block_device} SET deleted_at = ${now} WHERE server_id = ${serverId} AND deleted_at IS NULL`,
  ),
  changing(
    "migrations_end",
    sql`UPDATE ${t.migration} SET deleted_at = ${now} WHERE server_id = ${serverId} AND deleted_at IS NULL`,
  ),
];

/** User data that a change sets, as a column: encrypted and bound to the server. */
export function userDataColumn(
  { box }: Pick<StoreDeps, "box">,
  serverId: string,
  change: InstanceChange | undefined,
): { readonly user_data?: Buffer | null } {
  const userData = change?.userData;
  if (userData === undefined) return {};
  return { user_data: userData === "" ? null : box.seal(Buffer.from(userData), serverId) };
}

/** Parts that store the rows with which a new server comes to its cell. */
export const arrivingRows = (
  store: Store,
  deps: Pick<StoreDeps, "box">,
  { records }: InstanceRecord,
): ConditionalPart[] =>
  records === undefined
    ? []
    : rowParts(store, deps, { devices: records.blockDevices, migrations: records.migrations });
