import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../../gen/kilonova/type/v1/block_device.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { malformed, requireNames, withDefaults } from "./block-devices.js";

type Entry = Readonly<Record<string, unknown>>;

const SOURCES: ReadonlyMap<unknown, BlockDeviceSource> = new Map([
  ["blank", BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK],
  ["image", BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE],
  ["snapshot", BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT],
  ["volume", BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME],
]);
const DESTINATIONS: ReadonlyMap<unknown, BlockDeviceDestination> = new Map([
  ["local", BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL],
  ["volume", BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME],
]);

/** More than any image of a server has. */
const MOST_DEVICES = 64;

/**
 * The disks that an image brings along: images of servers on volumes name snapshots there.
 * @param properties  canonical
 * @throws BAD_BLOCK_DEVICES
 * @source nova API._get_image_defined_bdms
 */
export function imageDevices(properties: ReadonlyMap<string, string>, flavor: Flavor): BlockDevice[] {
  const current = properties.get("img_bdm_v2") === "true";
  const entries = listed(properties.get("img_block_device_mapping"));
  const devices = current ? entries.map(device) : oldDevices(entries);
  const names = new Set(devices.map(({ deviceName }) => deviceName));
  const mapped = listed(properties.get("img_mappings")).flatMap((entry) => mappedDisk(entry, flavor));
  const all = [...devices, ...mapped.filter(({ deviceName }) => !names.has(deviceName))].map(withDefaults);
  // Whoever makes an image may write anything into it: it has to be what a request might say.
  for (const one of all) requireNames(one, "image_id");
  return all;
}

function listed(json: string | undefined): readonly Entry[] {
  const list = json === undefined || json === "" ? [] : (JSON.parse(json) as readonly Entry[]);
  if (list.length > MOST_DEVICES) throw malformed("image_id", "the image brings too many devices");
  return list.filter(({ no_device: none }) => none === undefined || none === null || none === false);
}

const LONGEST = 255;
/** As of devices in requests. */
const TAG = /^[^,/]{1,60}$/;

function text(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  if (value.length > LONGEST) throw malformed("image_id", `a text has more than ${LONGEST} characters`);
  return value;
}

function tagOf(value: unknown): string | undefined {
  const tag = text(value);
  if (tag !== undefined && !TAG.test(tag)) throw malformed("image_id", "a device's tag is not valid");
  return tag;
}

function whole(value: unknown): number | undefined {
  const number = typeof value === "string" && /^-?\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 && number < 2 ** 31
    ? number
    : undefined;
}

/** What both forms say. */
const common = (entry: Entry): Partial<BlockDevice> => ({
  sizeGib: whole(entry["volume_size"]) || undefined,
  deleteOnTermination: entry["delete_on_termination"] === true || entry["delete_on_termination"] === "true",
  deviceName: text(entry["device_name"]),
});

function device(entry: Entry): BlockDevice {
  const source = SOURCES.get(entry["source_type"]);
  if (source === undefined) throw malformed("image_id", "Some required fields are missing");
  const sourceId = text(entry[`${String(entry["source_type"])}_id`]);
  if (sourceId === undefined && source !== BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK)
    throw malformed("image_id", "Missing device UUID.");
  const destination =
    DESTINATIONS.get(entry["destination_type"]) ??
    BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_UNSPECIFIED;
  const size = common(entry).sizeGib;
  // Local swap is counted in MiB.
  const isLocalSwap =
    source === BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK &&
    destination !== BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME &&
    entry["guest_format"] === "swap";
  return BlockDevice.fromPartial({
    ...common(entry),
    ...(isLocalSwap ? { sizeGib: undefined, sizeMib: size } : {}),
    source,
    sourceId,
    destination,
    bootIndex: whole(entry["boot_index"]),
    guestFormat: text(entry["guest_format"]),
    deviceType: text(entry["device_type"]),
    diskBus: text(entry["disk_bus"]),
    volumeType: text(entry["volume_type"]),
    tag: tagOf(entry["tag"]),
  });
}

/** The older form: volumes and snapshots, of which the one named vda boots. */
function oldDevices(entries: readonly Entry[]): BlockDevice[] {
  return entries.map((entry) => {
    const [snapshotId, volumeId] = [text(entry["snapshot_id"]), text(entry["volume_id"])];
    const virtual = text(entry["virtual_name"]) ?? "";
    if (VIRTUAL.test(virtual)) return blank(virtual, common(entry));
    const [source, sourceId] =
      snapshotId === undefined
        ? [BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME, volumeId]
        : [BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT, snapshotId];
    if (sourceId === undefined) throw malformed("image_id", "Unrecognized legacy format.");
    const boots = /^(\/dev\/)?vda$/.test(text(entry["device_name"]) ?? "");
    return BlockDevice.fromPartial({
      ...common(entry),
      source,
      sourceId,
      destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
      bootIndex: boots ? 0 : undefined,
    });
  });
}

/** Blank disks by the names of old. */
const VIRTUAL = /^(swap|ephemeral\d+)$/;

const blank = (virtual: string, more: Partial<BlockDevice>): BlockDevice =>
  BlockDevice.fromPartial({
    ...more,
    source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK,
    destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL,
    deleteOnTermination: true,
    ...(virtual === "swap"
      ? { guestFormat: "swap", sizeGib: undefined, sizeMib: more.sizeGib }
      : { guestFormat: more.guestFormat }),
  });

/** A disk of the flavor that an image gives a name to. @source nova API._prepare_image_mapping */
function mappedDisk(entry: Entry, flavor: Flavor): BlockDevice[] {
  const [virtual, name] = [text(entry["virtual"]) ?? "", text(entry["device"])];
  if (!VIRTUAL.test(virtual)) return [];
  const [size, sizes] =
    virtual === "swap"
      ? [flavor.swapMib, { sizeMib: flavor.swapMib }]
      : [flavor.ephemeralGib, { sizeGib: flavor.ephemeralGib }];
  return size === 0
    ? []
    : [{ ...blank(virtual, { deviceName: name, guestFormat: text(entry["guest_format"]) }), ...sizes }];
}
