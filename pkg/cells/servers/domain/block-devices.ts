import {
  BlockDeviceDestination,
  BlockDeviceRecord,
  BlockDeviceSource,
  ServerRecords,
} from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { BlockDeviceChange } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { VolumeChange } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { AttachedVolume } from "../../../../gen/kilonova/type/v1/server.js";
import { BlockDeviceSource as WantedSource } from "../../../../gen/kilonova/type/v1/block_device.js";
import type { Instant } from "../../../kernel/time.js";
import { bootDevices as builtWith, devicesOf, isVolume, rootNameOf } from "../../../model/boot-devices.js";
import type { BootDevice } from "../../../model/boot-devices.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { copyPaths, fieldsIn, pathsOf } from "../../domain/masks.js";
import { CellsErrors } from "../../errors.js";
import { serverOf } from "./records.js";

/** What a change may name; the rest is the store's. */
const PATHS = pathsOf(BlockDeviceRecord.fromPartial({}), [
  "id",
  "serverId",
  "encryptedConnectionInfo",
  "createdAt",
  "updatedAt",
  "deletedAt",
]);
const EVERY_PATH = [...PATHS.keys()];

/** Block devices after a change. */
export interface ChangedDevices {
  /** Those to be stored: new, changed, and removed ones. */
  readonly written: readonly BlockDeviceRecord[];
  /** All that the server has now, in the order in which it got them. */
  readonly present: readonly BlockDeviceRecord[];
}

/**
 * A server's block devices after changes, one after the other. Repeatable: a device added twice under one id
 * is one device, and one that is gone can be removed again.
 * @param present  all that the server has, in the order in which it got them
 * @param newId    for devices without one
 * @throws DEVICE_NAME_IN_USE, VOLUME_ATTACHED_TWICE; INVALID_ARGUMENT for a path that may not be changed
 */
export function changedDevices(
  present: readonly BlockDeviceRecord[],
  changes: readonly BlockDeviceChange[],
  {
    serverId,
    now,
    newId,
  }: { readonly serverId: string; readonly now: Instant; readonly newId: () => string },
): ChangedDevices {
  const devices = new Map(present.map((device) => [device.id, device]));
  const written = new Map<string, BlockDeviceRecord>();
  for (const { device: values, updateMask, remove } of changes) {
    const id = values?.id || newId();
    const before = devices.get(id);
    if (remove) {
      if (before === undefined) continue;
      devices.delete(id);
      written.set(id, { ...before, updatedAt: toTimestamp(now), deletedAt: toTimestamp(now) });
      continue;
    }
    const after = before === undefined ? newDevice(values, id, serverId, now) : { ...before };
    if (before !== undefined) {
      const mask = (updateMask ?? []).length === 0 ? EVERY_PATH : updateMask;
      copyPaths(after, values, mask, fieldsIn(PATHS), "block_devices.update_mask");
      if (mask?.includes("connection_info") === true) after.encryptedConnectionInfo = Buffer.alloc(0);
      after.updatedAt = toTimestamp(now);
    }
    devices.set(id, after);
    written.set(id, after);
  }
  const all = [...devices.values()];
  checkUnique(all, serverId);
  return { written: [...written.values()], present: all };
}

/**
 * As `changedDevices`, for what a user changes at once of a volume that the server has.
 * @throws VOLUME_ATTACHMENT_NOT_FOUND
 */
export function changedVolume(
  present: readonly BlockDeviceRecord[],
  { volumeId, deleteOnTermination }: VolumeChange,
  { serverId, now }: { readonly serverId: string; readonly now: Instant },
): ChangedDevices {
  const found = present.find((one) => volumeId !== "" && one.volumeId === volumeId);
  if (found === undefined)
    throw CellsErrors.VOLUME_ATTACHMENT_NOT_FOUND({ server: serverId, volume: volumeId });
  if (found.deleteOnTermination === deleteOnTermination) return { written: [], present };
  const after = { ...found, deleteOnTermination, updatedAt: toTimestamp(now) };
  return { written: [after], present: present.map((one) => (one === found ? after : one)) };
}

const newDevice = (
  values: BlockDeviceRecord | undefined,
  id: string,
  serverId: string,
  now: Instant,
): BlockDeviceRecord => ({
  ...BlockDeviceRecord.fromPartial(values ?? {}),
  id,
  serverId,
  createdAt: toTimestamp(now),
  updatedAt: undefined,
  deletedAt: undefined,
});

function checkUnique(devices: readonly BlockDeviceRecord[], server: string): void {
  const twice = (of: (device: BlockDeviceRecord) => string): string | undefined => {
    const values = devices.map(of).filter((value) => value !== "");
    return values.find((value, index) => values.indexOf(value) !== index);
  };
  const device = twice(({ deviceName }) => deviceName);
  if (device !== undefined) throw CellsErrors.DEVICE_NAME_IN_USE({ device });
  const volume = twice(({ volumeId }) => volumeId);
  if (volume !== undefined) throw CellsErrors.VOLUME_ATTACHED_TWICE({ server, volume });
}

/** A server's volumes as its tenant sees them. */
export const volumesOf = (present: readonly BlockDeviceRecord[]): AttachedVolume[] =>
  present
    .filter(({ volumeId }) => volumeId !== "")
    .map(({ volumeId, deleteOnTermination }) => ({ id: volumeId, deleteOnTermination }));

const MIB_PER_GIB = 1024n;

/**
 * The block devices of a server that is being built, as its spec says, in Nova's order.
 * @param newId  for each of them
 */
export function bootDevices(record: InstanceRecord, newId: () => string): BlockDeviceRecord[] {
  const server = serverOf(record);
  const { image, blockDevices = [] } = record.spec ?? {};
  const spec = { flavor: server.flavor, image, blockDevices };
  return builtWith(spec, server.hostInfo?.rootDeviceName || rootNameOf(devicesOf(spec))).map((one) =>
    BlockDeviceRecord.fromPartial({
      id: newId(),
      serverId: server.id,
      createdAt: server.createdAt,
      ...recordFields(one, server.flavor?.rootGib ?? 0),
    }),
  );
}

const SOURCES: Readonly<Record<WantedSource, BlockDeviceSource>> = {
  [WantedSource.BLOCK_DEVICE_SOURCE_UNSPECIFIED]: BlockDeviceSource.BLOCK_DEVICE_SOURCE_UNSPECIFIED,
  [WantedSource.BLOCK_DEVICE_SOURCE_BLANK]: BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK,
  [WantedSource.BLOCK_DEVICE_SOURCE_IMAGE]: BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE,
  [WantedSource.BLOCK_DEVICE_SOURCE_SNAPSHOT]: BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT,
  [WantedSource.BLOCK_DEVICE_SOURCE_VOLUME]: BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
};

function recordFields({ device, role, name }: BootDevice, rootGib: number): Partial<BlockDeviceRecord> {
  const { sourceId = "", sizeGib, sizeMib } = device;
  const of = (source: WantedSource): string => (device.source === source ? sourceId : "");
  const localRoot = role === "root" && !isVolume(device);
  return {
    source: SOURCES[device.source],
    destination: isVolume(device)
      ? BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME
      : BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL,
    imageId: of(WantedSource.BLOCK_DEVICE_SOURCE_IMAGE),
    snapshotId: of(WantedSource.BLOCK_DEVICE_SOURCE_SNAPSHOT),
    volumeId: of(WantedSource.BLOCK_DEVICE_SOURCE_VOLUME),
    sizeMib: localRoot ? BigInt(rootGib) * MIB_PER_GIB : BigInt(sizeMib ?? (sizeGib ?? 0) * 1024),
    volumeType: device.volumeType ?? "",
    bootIndex: device.bootIndex,
    deviceName: name,
    deviceType: device.deviceType ?? "disk",
    diskBus: device.diskBus ?? "",
    guestFormat: device.guestFormat ?? "",
    deleteOnTermination: device.deleteOnTermination ?? !isVolume(device),
    tag: device.tag ?? "",
  };
}

/** A server that comes into its cell with the devices that it is built with. */
export function withBootDevices(record: InstanceRecord, newId: () => string): InstanceRecord {
  const blockDevices = bootDevices(record, newId);
  const server = { ...serverOf(record), volumes: volumesOf(blockDevices) };
  return { ...record, server, records: { ...ServerRecords.fromPartial({}), blockDevices } };
}
