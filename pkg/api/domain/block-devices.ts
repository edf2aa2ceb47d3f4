import { BlockDeviceDestination, BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../../gen/kilonova/type/v1/block_device.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { isEphemeral, isSwap, isVolume } from "../../model/boot-devices.js";
import { CreateErrors } from "../errors.js";

const {
  BLOCK_DEVICE_SOURCE_UNSPECIFIED: UNSPECIFIED,
  BLOCK_DEVICE_SOURCE_BLANK: BLANK,
  BLOCK_DEVICE_SOURCE_IMAGE: IMAGE,
  BLOCK_DEVICE_SOURCE_SNAPSHOT: SNAPSHOT,
  BLOCK_DEVICE_SOURCE_VOLUME: VOLUME,
} = BlockDeviceSource;
const { BLOCK_DEVICE_DESTINATION_LOCAL: LOCAL, BLOCK_DEVICE_DESTINATION_VOLUME: TO_VOLUME } =
  BlockDeviceDestination;

/** A disk that is asked for, and by which field of the request. */
export interface WantedDevice {
  /** Source and destination are set. */
  readonly device: BlockDevice;
  /** Such as `block_devices[0]`; what an image or a flavor brings has the field that names it. */
  readonly field: string;
}

/** A refusal in Nova's words. @param text  the whole message */
export const refusal = (field: string, text: string): Error =>
  CreateErrors.BAD_BLOCK_DEVICES({ field, why: text });
/** The same for what Nova calls an invalid format. */
export const malformed = (field: string, why: string): Error =>
  refusal(field, `Block Device Mapping is Invalid: ${why}`);

/**
 * The devices of a request, each judged by what it says itself.
 * @param imageId  of the request
 * @throws BAD_BLOCK_DEVICES
 * @source nova block_device.BlockDeviceDict.from_api
 */
export function readDevices(devices: readonly BlockDevice[], imageId: string | undefined): WantedDevice[] {
  return devices.map((given, index) => {
    const field = `block_devices[${index}]`;
    const device = withDefaults(given);
    requireSource(device, field, imageId);
    requireVolumeType(device, field);
    requireNames(device, field);
    return { device, field };
  });
}

/** What is not said and follows from the rest. */
export function withDefaults(device: BlockDevice): BlockDevice {
  const { source, destination } = device;
  const usual = source === VOLUME || source === SNAPSHOT ? TO_VOLUME : LOCAL;
  const to =
    destination === BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_UNSPECIFIED ? usual : destination;
  return {
    ...device,
    destination: to,
    deleteOnTermination: device.deleteOnTermination ?? to === LOCAL,
    deviceName: device.deviceName === undefined ? undefined : `/dev/${bareName(device.deviceName)}`,
  };
}

const bareName = (name: string): string => name.replace(/^\/dev\//, "");

function requireSource(device: BlockDevice, field: string, imageId: string | undefined): void {
  const { source, sourceId, destination, bootIndex } = device;
  if (source === BLANK && sourceId !== undefined)
    throw malformed(`${field}.source_id`, "Invalid device UUID.");
  if (source !== BLANK && sourceId === undefined)
    throw malformed(`${field}.source_id`, "Missing device UUID.");
  if (source === UNSPECIFIED) throw malformed(`${field}.source`, "Some required fields are missing");
  if (destination !== LOCAL || source === BLANK) return;
  if (source !== IMAGE)
    throw malformed(
      `${field}.destination`,
      `Mapping ${source === VOLUME ? "volume" : "snapshot"} to local is not supported.`,
    );
  if (bootIndex !== 0 || sourceId !== imageId)
    throw malformed(`${field}.destination`, "Mapping image to local is not supported.");
}

function requireVolumeType({ source, destination, volumeType }: BlockDevice, field: string): void {
  if (volumeType === undefined) return;
  if (destination === LOCAL)
    throw malformed(
      `${field}.volume_type`,
      "Specifying a volume_type with destination_type=local is not supported.",
    );
  if (source === VOLUME)
    throw malformed(`${field}.volume_type`, "Specifying volume type to existing volume is not supported.");
}

const BUSES: ReadonlySet<string> = new Set("fdc ide sata scsi usb virtio xen lxc uml".split(" "));
const TYPES: ReadonlySet<string> = new Set(["disk", "cdrom", "floppy", "lun"]);

/** @throws BAD_BLOCK_DEVICES for a bus or a type that nobody knows, or a name with blanks */
export function requireNames({ deviceName, deviceType, diskBus }: BlockDevice, field: string): void {
  if (deviceName?.includes(" ")) throw malformed(`${field}.device_name`, "Device name contains spaces.");
  // Nova means to name the bus, and does not.
  if (diskBus !== undefined && !BUSES.has(diskBus))
    throw refusal(`${field}.disk_bus`, "Block Device Mapping is Invalid.");
  if (deviceType !== undefined && !TYPES.has(deviceType))
    throw malformed(`${field}.device_type`, `device_type must be one of ${[...TYPES].join(", ")}`);
}

/** Of a disk without a name, nothing. */
export const nameOf = ({ deviceName }: BlockDevice): string => bareName(deviceName ?? "");

/**
 * Judges all disks of a server together; what they refer to is looked up elsewhere.
 * @param maxLocal  -1 is unlimited
 * @throws BAD_BLOCK_DEVICES
 * @source nova API._validate_bdm
 */
export function judgeDevices(all: readonly WantedDevice[], flavor: Flavor, maxLocal: number): void {
  requireBootOrder(all);
  for (const one of all) requireVolumeSize(one);
  const ephemerals = all.filter(({ device }) => isEphemeral(device));
  const gib = ephemerals.reduce((sum, { device }) => sum + (device.sizeGib ?? flavor.ephemeralGib), 0);
  if (gib > flavor.ephemeralGib)
    throw refusal(
      sizeField(ephemerals.at(-1)),
      "Ephemeral disks requested are larger than the instance type allows. If no size is given in one block device mapping, flavor ephemeral size will be used.",
    );
  const [swap, second] = all.filter(({ device }) => isSwap(device));
  if (second !== undefined) throw malformed(second.field, "More than one swap drive requested.");
  if (swap !== undefined && (swapMibOf(swap.device) ?? 0) > flavor.swapMib)
    throw refusal(sizeField(swap), "Swap drive requested is larger than instance type allows.");
  const local = all.filter(({ device }) => !isVolume(device));
  if (maxLocal >= 0 && local.length > maxLocal)
    throw malformed("block_devices", "You specified more local devices than the limit allows");
}

/** Boot indexes count 0, 1, 2 …, each of them once. */
function requireBootOrder(all: readonly WantedDevice[]): void {
  const listed = all.flatMap(({ device }) => device.bootIndex ?? []).sort((a, b) => a - b);
  if (listed.length === 0 || listed.some((index, i) => index !== i))
    throw malformed(
      "block_devices",
      "Boot sequence for the instance and image/block device mapping combination is not valid.",
    );
}

function requireVolumeSize({ device, field }: WantedDevice): void {
  if (!isVolume(device) || (device.sizeGib ?? 0) > 0) return;
  if (device.source === IMAGE)
    throw refusal(
      `${field}.size_gib`,
      "Images with destination_type 'volume' need to have a non-zero size specified",
    );
  if (device.source === BLANK)
    throw refusal(
      `${field}.size_gib`,
      "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size",
    );
}

const sizeField = (one: WantedDevice | undefined): string =>
  one?.field.startsWith("block_devices[") === true ? `${one.field}.size_gib` : "block_devices";

/** What of swap was asked for; undefined: the flavor's. */
const swapMibOf = ({ sizeMib, sizeGib }: BlockDevice): number | undefined =>
  sizeMib ?? (sizeGib === undefined ? undefined : sizeGib * 1024);

/** With the sizes that the flavor gives. @source nova API._volume_size */
export function withSizes(device: BlockDevice, flavor: Flavor): BlockDevice {
  if (isSwap(device)) return { ...device, sizeMib: swapMibOf(device) ?? flavor.swapMib, sizeGib: undefined };
  if (isEphemeral(device)) return { ...device, sizeGib: device.sizeGib ?? flavor.ephemeralGib };
  return device;
}
