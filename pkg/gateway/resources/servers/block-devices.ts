import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../../../gen/kilonova/type/v1/block_device.js";
import { GatewayErrors } from "../../errors.js";
import { booleanOf, countOf, listOf, member, numberOf, textOf } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import { isObject } from "../../http/json.js";

/**
 * The block devices of a create body. In the older list the one that is named as the root disk boots, else
 * the image does.
 * @throws BAD_REQUEST when both lists are given, and for a device of the older list that is nothing
 */
export function blockDevicesOf(body: JsonObject): BlockDevice[] {
  const [old, current] = [devices(body, "block_device_mapping"), devices(body, "block_device_mapping_v2")];
  if (old.length > 0 && current.length > 0) {
    throw GatewayErrors.BAD_REQUEST({
      message: "Using different block_device_mapping syntaxes is not allowed in the same request.",
    });
  }
  const listed = (old.length > 0 ? old.map(fromOldForm) : current).filter(isDevice).map(toBlockDevice);
  const image = textOf(body, "imageRef") ?? "";
  if (old.length === 0 || image === "" || listed.some(({ bootIndex }) => bootIndex === 0)) return listed;
  return [imageDevice(image), ...listed];
}

const devices = (body: JsonObject, key: string): JsonObject[] => listOf(body, key).filter(isObject);
/** `no_device` of any value but false only hides what the image brings under its name. */
const isDevice = (device: JsonObject): boolean => {
  const none = member(device, "no_device");
  return none === undefined || none === null || none === false || hasSource(device);
};
const hasSource = (device: JsonObject): boolean => textOf(device, "source_type") !== undefined;

const imageDevice = (image: string): BlockDevice =>
  BlockDevice.fromPartial({
    source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE,
    destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL,
    sourceId: image,
    bootIndex: 0,
    deleteOnTermination: true,
    deviceType: "disk",
  });

const VIRTUAL = /^(swap|ephemeral(\d|[1-9]\d+))$/;
const ROOT_NAME = /^(\/dev\/)?vda$/;

/** @source nova block_device.from_legacy_mapping */
function fromOldForm(device: JsonObject): JsonObject {
  const { volume_id: volume, snapshot_id: snapshot, virtual_name: virtual, ...rest } = device;
  if (typeof virtual === "string" && VIRTUAL.test(virtual))
    return {
      ...rest,
      source_type: "blank",
      destination_type: "local",
      boot_index: -1,
      delete_on_termination: true,
      ...(virtual === "swap" ? { guest_format: "swap" } : {}),
    };
  const boot_index = ROOT_NAME.test(textOf(device, "device_name") ?? "") ? 0 : -1;
  const more = { ...rest, destination_type: "volume", boot_index };
  if (typeof snapshot === "string") return { ...more, source_type: "snapshot", uuid: snapshot };
  if (typeof volume === "string") return { ...more, source_type: "volume", uuid: volume };
  if (isDevice(device))
    throw GatewayErrors.BAD_REQUEST({
      message: "Block Device Mapping is Invalid: Unrecognized legacy format.",
    });
  return rest;
}

const SOURCES: ReadonlyMap<string, BlockDeviceSource> = new Map([
  ["blank", BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK],
  ["image", BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE],
  ["volume", BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME],
  ["snapshot", BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT],
]);
const DESTINATIONS: ReadonlyMap<string, BlockDeviceDestination> = new Map([
  ["local", BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL],
  ["volume", BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME],
]);

/** A device of `block_device_mapping_v2`. A boot index below 0, or null: it is never booted from. */
function toBlockDevice(device: JsonObject): BlockDevice {
  const text = (key: string): string | undefined => textOf(device, key) || undefined;
  const bootIndex = countOf(device, "boot_index");
  const size = numberOf(device, "volume_size");
  const isSwap = text("source_type") === "blank" && text("guest_format") === "swap";
  return BlockDevice.fromPartial({
    source: SOURCES.get(text("source_type") ?? "") ?? BlockDeviceSource.BLOCK_DEVICE_SOURCE_UNSPECIFIED,
    destination:
      DESTINATIONS.get(text("destination_type") ?? "") ??
      BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_UNSPECIFIED,
    sourceId: text("uuid"),
    bootIndex: bootIndex === undefined || bootIndex < 0 ? undefined : bootIndex,
    // Of swap on the host it is MiB.
    ...(isSwap && text("destination_type") === "local" ? { sizeMib: size } : { sizeGib: size }),
    guestFormat: text("guest_format"),
    deleteOnTermination: booleanOf(device, "delete_on_termination"),
    deviceName: text("device_name"),
    deviceType: text("device_type"),
    diskBus: text("disk_bus"),
    tag: text("tag"),
    volumeType: text("volume_type"),
  });
}
