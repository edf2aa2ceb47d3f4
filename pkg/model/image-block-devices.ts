import { BlockDeviceSource } from "../../gen/kilonova/cells/v1/server_records.js";
import type { BlockDeviceRecord } from "../../gen/kilonova/cells/v1/server_records.js";

/** A snapshot of a volume. */
export interface DeviceSnapshot {
  readonly deviceId: string;
  readonly snapshotId: string;
  readonly sizeGib: number;
}

/**
 * What the image of a server on volumes says of its disks, in Nova's form: snapshots in the place of volumes,
 * local disks as they are. The value of `block_device_mapping`.
 * @source nova API.snapshot_volume_backed, block_device.snapshot_from_bdm
 */
export function imageBlockDevices(
  devices: readonly BlockDeviceRecord[],
  snapshots: readonly DeviceSnapshot[],
): string {
  const snapshotOf = new Map(snapshots.map((one) => [one.deviceId, one]));
  const local = devices.filter(({ volumeId }) => volumeId === "");
  const onVolumes = devices.filter(({ id }) => snapshotOf.has(id));
  return JSON.stringify([
    ...local.map(localDisk),
    ...onVolumes.map((device) => snapshotDisk(device, snapshotOf.get(device.id))),
  ]);
}

const common = (device: BlockDeviceRecord) => ({
  boot_index: device.bootIndex ?? null,
  delete_on_termination: device.deleteOnTermination,
  device_name: device.deviceName || null,
  device_type: device.deviceType || null,
  disk_bus: device.diskBus || null,
  image_id: null,
  no_device: null,
  volume_id: null,
});

/** Local swap is counted in MiB, all else in GiB. */
const localDisk = (device: BlockDeviceRecord): object => ({
  ...common(device),
  source_type: device.source === BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE ? "image" : "blank",
  destination_type: "local",
  image_id: device.imageId || null,
  guest_format: device.guestFormat || null,
  snapshot_id: null,
  tag: device.tag || null,
  volume_size: Number(device.guestFormat === "swap" ? device.sizeMib : device.sizeMib / 1024n),
  volume_type: null,
});

/** As in Nova a copy has neither tag nor volume type. */
const snapshotDisk = (device: BlockDeviceRecord, snapshot: DeviceSnapshot | undefined): object => ({
  ...common(device),
  source_type: "snapshot",
  destination_type: "volume",
  guest_format: null,
  snapshot_id: snapshot?.snapshotId ?? null,
  tag: null,
  volume_size: snapshot?.sizeGib ?? null,
  volume_type: null,
});
