import {
  BlockDeviceDestination,
  BlockDeviceRecord,
  BlockDeviceSource,
  ServerRecords,
} from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { BlockDeviceChange } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { AttachedVolume } from "../../../../gen/kilonova/type/v1/server.js";
import type { Instant } from "../../../kernel/time.js";
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
 * The block devices of a server that is being built: what its image and flavor ask for, in Nova's order.
 * @param newId  for each of them
 * @source compute-driver: root disk, ephemeral disk, swap
 */
export function bootDevices(record: InstanceRecord, newId: () => string): BlockDeviceRecord[] {
  const server = serverOf(record);
  const { flavor } = server;
  const root = server.hostInfo?.rootDeviceName || "/dev/vda";
  const devices: Partial<BlockDeviceRecord>[] = [];
  const add = (device: Partial<BlockDeviceRecord>): void => {
    devices.push({
      id: newId(),
      serverId: server.id,
      destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL,
      deviceType: "disk",
      deviceName: nthAfter(root, devices.length),
      deleteOnTermination: true,
      createdAt: server.createdAt,
      ...device,
    });
  };
  const { image } = record.spec ?? {};
  if (image !== undefined)
    add({
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE,
      imageId: image.id,
      sizeMib: BigInt(flavor?.rootGib ?? 0) * MIB_PER_GIB,
      bootIndex: 0,
    });
  const blank = { source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK } as const;
  const { ephemeralGib = 0, swapMib = 0 } = flavor ?? {};
  if (ephemeralGib > 0) add({ ...blank, sizeMib: BigInt(ephemeralGib) * MIB_PER_GIB });
  if (swapMib > 0) add({ ...blank, sizeMib: BigInt(swapMib), guestFormat: "swap" });
  return devices.map((device) => BlockDeviceRecord.fromPartial(device));
}

/** A server that comes into its cell with the devices that it is built with. */
export function withBootDevices(record: InstanceRecord, newId: () => string): InstanceRecord {
  const blockDevices = bootDevices(record, newId);
  const server = { ...serverOf(record), volumes: volumesOf(blockDevices) };
  return { ...record, server, records: { ...ServerRecords.fromPartial({}), blockDevices } };
}

/** The name of the n-th disk after one: /dev/vda, 1 → /dev/vdb. */
const nthAfter = (name: string, n: number): string =>
  `${name.slice(0, -1)}${String.fromCharCode(name.charCodeAt(name.length - 1) + n)}`;
