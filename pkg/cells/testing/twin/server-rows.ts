import type { InstanceChange, InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { BlockDeviceRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { Instant } from "../../../kernel/time.js";
import { GLOBAL } from "../../../model/database-names.js";
import { fromTimestampOrNull, toTimestamp } from "../../../model/wire-time.js";
import { CellsErrors } from "../../errors.js";
import type { VolumeChange } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { changedVolume } from "../../servers/domain/block-devices.js";
import type { ChangedDevices } from "../../servers/domain/block-devices.js";
import { migrationIds } from "../../servers/domain/migrations.js";
import { NO_ROWS, touchesRows } from "../../servers/domain/plan-change.js";
import type { KnownRows, ServerRows } from "../../servers/domain/plan-change.js";
import { serverOf } from "../../servers/domain/records.js";
import { knownDevices, migrationsMade, sealedDevice } from "../../servers/store/server-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import type { TwinDatabase } from "./database.js";
import { byValue, bytewise } from "./order.js";

/**
 * What a change of rows is decided by.
 * @param record  the server's; undefined when the operation is about none
 * @throws NOT_READY for a build request
 */
export function rowsFor(
  { name, devices, migrations }: TwinDatabase,
  { ids }: Pick<StoreDeps, "ids">,
  record: InstanceRecord | undefined,
  operationId: string,
  change: InstanceChange | undefined,
): KnownRows {
  if (!touchesRows(change) || record === undefined) return NO_ROWS;
  const serverId = serverOf(record).id;
  if (name === GLOBAL) throw CellsErrors.NOT_READY({ server: serverId });
  const all = change.blockDevices.length === 0 ? undefined : (devices.get(serverId) ?? []);
  const named = migrationIds(change.migrations, operationId);
  return {
    ...knownDevices(ids, record, all),
    migrations: [...migrations.values()].filter((one) => one.serverId === serverId && named.includes(one.id)),
  };
}

/** Numbers for the migrations that a change may make. @param more  beside those that it names */
export const numbersFor = (database: TwinDatabase, change: InstanceChange | undefined, more = 0): bigint[] =>
  Array.from({ length: migrationsMade(change, more) }, () => BigInt(database.next("migration")));

/**
 * A server's devices after a user's change of one at once, and those to be stored.
 * @throws NOT_READY for a build request; VOLUME_ATTACHMENT_NOT_FOUND
 */
export function volumeChanged(
  { name, devices }: TwinDatabase,
  { ids }: Pick<StoreDeps, "ids">,
  record: InstanceRecord,
  change: VolumeChange,
  now: Instant,
): ChangedDevices {
  const serverId = serverOf(record).id;
  if (name === GLOBAL) throw CellsErrors.NOT_READY({ server: serverId });
  const known = knownDevices(ids, record, devices.get(serverId) ?? []);
  const changed = changedVolume(known.devices, change, { serverId, now });
  return known.unwritten === true ? { ...changed, written: changed.present } : changed;
}

/** Stores rows, new ones and those that are there. */
export function storeRows(
  database: TwinDatabase,
  { box }: Pick<StoreDeps, "box">,
  { devices, migrations }: ServerRows,
): void {
  for (const device of devices) {
    const others = (database.devices.get(device.serverId) ?? []).filter(({ id }) => id !== device.id);
    database.devices.set(device.serverId, [...others, sealedDevice(box, device)].sort(byAge));
  }
  for (const record of migrations) database.migrations.set(record.id, record);
}

const byAge = (a: BlockDeviceRecord, b: BlockDeviceRecord): number =>
  byValue(fromTimestampOrNull(a.createdAt), fromTimestampOrNull(b.createdAt)) ||
  bytewise(a.deviceName, b.deviceName) ||
  bytewise(a.id, b.id);

/** Ends all rows of a server, with its record. */
export function endRows({ devices, migrations }: TwinDatabase, serverId: string, now: Instant): void {
  const deletedAt = toTimestamp(now);
  devices.set(
    serverId,
    (devices.get(serverId) ?? []).map((device) => ({ ...device, deletedAt: device.deletedAt ?? deletedAt })),
  );
  for (const record of migrations.values())
    if (record.serverId === serverId && record.deletedAt === undefined)
      migrations.set(record.id, { ...record, deletedAt });
}
