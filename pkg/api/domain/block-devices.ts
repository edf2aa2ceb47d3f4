import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { CreateErrors } from "../errors.js";

/** An entry of REST's block_device_mapping_v2, as far as it is looked at. */
export interface BlockDevice {
  readonly source: string;
  readonly destination: string;
  readonly uuid: string;
  /** Negative for devices that are no boot devices. */
  readonly bootIndex: number;
  readonly sizeGib: number | undefined;
  readonly swap: boolean;
}

const bad = (why: string): Error => CreateErrors.BAD_BLOCK_DEVICES({ why });

/** @throws BAD_BLOCK_DEVICES for texts that are no JSON objects of the known form */
export function parseBlockDevice(json: string): BlockDevice {
  const raw = object(json);
  const source = text(raw, "source_type");
  const uuid = text(raw, "uuid");
  if (source === "blank" ? uuid !== "" : uuid === "")
    throw bad(source === "blank" ? "a blank device has no uuid" : "a uuid is required");
  const destination =
    text(raw, "destination_type") || (source === "volume" || source === "snapshot" ? "volume" : "local");
  return {
    source,
    destination,
    uuid,
    bootIndex: integer(raw["boot_index"]) ?? -1,
    sizeGib: integer(raw["volume_size"]),
    swap: text(raw, "guest_format") === "swap",
  };
}

/**
 * Judges the devices of a request. Local ones are what the image and the flavor give anyway; volumes are not
 * served yet.
 * @param maxLocal  -1 is unlimited
 * @throws BAD_BLOCK_DEVICES
 */
export function requireLocalDevices(
  devices: readonly BlockDevice[],
  imageId: string,
  flavor: Flavor,
  maxLocal: number,
): void {
  if (
    devices.some(
      (device) =>
        device.destination === "volume" || device.source === "volume" || device.source === "snapshot",
    )
  ) {
    throw bad("volumes are not supported by this deployment");
  }
  requireBootOrder(devices, imageId);
  for (const device of devices) if (device.source === "image") requireBootImage(device, imageId);
  if (maxLocal >= 0 && devices.length > maxLocal)
    throw bad("You specified more local devices than the limit allows");
  const blanks = devices.filter((device) => device.source === "blank");
  requireSwap(
    blanks.filter((device) => device.swap),
    flavor,
  );
  requireEphemeral(
    blanks.filter((device) => !device.swap),
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

/** Boot indexes count 0, 1, 2 …; an image brings a device with index 0 unless one is listed. */
function requireBootOrder(devices: readonly BlockDevice[], imageId: string): void {
  const listed = devices.map((device) => device.bootIndex).filter((index) => index >= 0);
  const all =
    imageId !== "" && !devices.some((device) => device.source === "image" && device.uuid === imageId)
      ? [0, ...listed]
      : listed;
  const sorted = [...all].sort((a, b) => a - b);
  if (sorted.length === 0 || sorted.some((index, i) => index !== i))
    throw bad("Boot sequence for the instance and image/block device mapping combination is not valid.");
}

function requireBootImage(device: BlockDevice, imageId: string): void {
  if (device.bootIndex !== 0 || device.uuid !== imageId)
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

function object(json: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw bad("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("it is not an object");
  return value as Readonly<Record<string, unknown>>;
}

function text(raw: Readonly<Record<string, unknown>>, key: string): string {
  const value = raw[key] ?? "";
  if (typeof value !== "string") throw bad(`${key} is not a text`);
  return value;
}

/** Numbers may come as text; null means not given. */
function integer(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const number = Number(value);
  if (!Number.isInteger(number)) throw bad("a number is expected");
  return number;
}
