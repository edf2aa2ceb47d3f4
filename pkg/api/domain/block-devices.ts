import type { BlockDevice } from "../../../gen/kilonova/type/v1/block_device.js";
import { BlockDeviceDestination, BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { CreateErrors } from "../errors.js";

const { BLOCK_DEVICE_SOURCE_BLANK: BLANK, BLOCK_DEVICE_SOURCE_IMAGE: IMAGE } = BlockDeviceSource;
const VOLUMES: readonly BlockDeviceSource[] = [
  BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
  BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT,
];

const bad = (why: string): Error => CreateErrors.BAD_BLOCK_DEVICES({ why });

/** What a device says by itself. @throws BAD_BLOCK_DEVICES */
export function requireSource({ source, sourceId }: BlockDevice): void {
  if (source === BLANK && sourceId !== undefined) throw bad("a blank device has no uuid");
  if (source !== BLANK && sourceId === undefined) throw bad("a uuid is required");
  if (source === BlockDeviceSource.BLOCK_DEVICE_SOURCE_UNSPECIFIED) throw bad("a source is required");
}

/**
 * Judges the devices of a request. Local ones are what the image and the flavor give anyway; volumes are not
 * served yet.
 * @param maxLocal  -1 is unlimited
 * @throws BAD_BLOCK_DEVICES
 */
export function requireLocalDevices(
  devices: readonly BlockDevice[],
  imageId: string | undefined,
  flavor: Flavor,
  maxLocal: number,
): void {
  if (devices.some(onVolume)) throw bad("volumes are not supported by this deployment");
  requireBootOrder(devices, imageId);
  for (const device of devices) if (device.source === IMAGE) requireBootImage(device, imageId);
  if (maxLocal >= 0 && devices.length > maxLocal)
    throw bad("You specified more local devices than the limit allows");
  const blanks = devices.filter((device) => device.source === BLANK);
  requireSwap(blanks.filter(isSwap), flavor);
  requireEphemeral(
    blanks.filter((device) => !isSwap(device)),
    flavor,
  );
}

/**
 * Judges the devices that an image brings along (`img_block_device_mapping`): snapshots of servers on volumes
 * name volumes there.
 * @param json  a list of objects, or ""
 * @throws BAD_BLOCK_DEVICES
 */
export function requireLocalMapping(json: string): void {
  if (json !== "" && (JSON.parse(json) as unknown[]).length > 0)
    throw bad("the image's own block device mapping is not supported by this deployment");
}

const onVolume = ({ source, destination }: BlockDevice): boolean =>
  destination === BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME || VOLUMES.includes(source);
const isSwap = ({ guestFormat }: BlockDevice): boolean => guestFormat === "swap";

/** Boot indexes count 0, 1, 2 …; an image brings a device with index 0 unless one is listed. */
function requireBootOrder(devices: readonly BlockDevice[], imageId: string | undefined): void {
  const listed = devices.flatMap(({ bootIndex }) => bootIndex ?? []);
  const all =
    imageId !== undefined && !devices.some((device) => device.source === IMAGE && device.sourceId === imageId)
      ? [0, ...listed]
      : listed;
  const sorted = [...all].sort((a, b) => a - b);
  if (sorted.length === 0 || sorted.some((index, i) => index !== i))
    throw bad("Boot sequence for the instance and image/block device mapping combination is not valid.");
}

function requireBootImage(device: BlockDevice, imageId: string | undefined): void {
  if (device.bootIndex !== 0 || device.sourceId !== imageId)
    throw bad("Mapping image to local is not supported.");
}

function requireSwap(swaps: readonly BlockDevice[], flavor: Flavor): void {
  if (swaps.length > 1) throw bad("More than one swap drive requested.");
  const mib = (swaps[0]?.sizeGib ?? flavor.swapMib / 1024) * 1024;
  if (mib > flavor.swapMib) throw bad("Swap drive requested is larger than instance type allows.");
  if (mib !== flavor.swapMib) throw bad("a swap drive of another size than the flavor's is not supported");
}

function requireEphemeral(disks: readonly BlockDevice[], flavor: Flavor): void {
  if (disks.length === 0) return;
  const gib = disks.reduce((sum, disk) => sum + (disk.sizeGib ?? flavor.ephemeralGib), 0);
  if (gib > flavor.ephemeralGib)
    throw bad("Ephemeral disks requested are larger than the instance type allows.");
  if (disks.length > 1 || gib !== flavor.ephemeralGib)
    throw bad("ephemeral disks other than the flavor's single one are not supported");
}
