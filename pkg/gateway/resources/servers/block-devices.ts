import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../../../gen/kilonova/type/v1/block_device.js";
import { GatewayErrors } from "../../errors.js";
import { booleanOf, countOf, listOf, member, numberOf, textOf } from "../../http/fields.js";
import type { Json, JsonObject } from "../../http/json.js";
import { isObject } from "../../http/json.js";

/**
 * The block devices of a create body. The older list only knew volumes and snapshots, whose first one boots
 * when there is no image.
 * @throws BAD_REQUEST when both lists are given
 */
export function blockDevicesOf(body: JsonObject): BlockDevice[] {
  const [old, current] = [member(body, "block_device_mapping"), member(body, "block_device_mapping_v2")];
  if (old !== undefined && current !== undefined) {
    throw GatewayErrors.BAD_REQUEST({
      message: "Using different block_device_mapping syntaxes is not allowed in the same request.",
    });
  }
  if (old === undefined) return devices(body, "block_device_mapping_v2").map(toBlockDevice);
  const boots = (textOf(body, "imageRef") ?? "") === "";
  return devices(body, "block_device_mapping")
    .filter((device) => !isUnset(member(device, "no_device")) || hasSource(device))
    .map((device, index) => toBlockDevice(fromOldForm(device, boots && index === 0)));
}

const devices = (body: JsonObject, key: string): JsonObject[] => listOf(body, key).filter(isObject);
const isUnset = (value: Json | undefined): boolean =>
  value === undefined || value === null || value === false;
const hasSource = (device: JsonObject): boolean =>
  textOf(device, "volume_id") !== undefined || textOf(device, "snapshot_id") !== undefined;

function fromOldForm(device: JsonObject, boots: boolean): JsonObject {
  const { volume_id: volume, snapshot_id: snapshot, ...rest } = device;
  const source =
    typeof snapshot === "string"
      ? { source_type: "snapshot", uuid: snapshot }
      : { source_type: "volume", uuid: volume ?? "" };
  return { ...rest, ...source, destination_type: "volume", boot_index: boots ? 0 : -1 };
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
  return BlockDevice.fromPartial({
    source: SOURCES.get(text("source_type") ?? "") ?? BlockDeviceSource.BLOCK_DEVICE_SOURCE_UNSPECIFIED,
    destination:
      DESTINATIONS.get(text("destination_type") ?? "") ??
      BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_UNSPECIFIED,
    sourceId: text("uuid"),
    bootIndex: bootIndex === undefined || bootIndex < 0 ? undefined : bootIndex,
    sizeGib: numberOf(device, "volume_size"),
    guestFormat: text("guest_format"),
    deleteOnTermination: booleanOf(device, "delete_on_termination"),
    deviceName: text("device_name"),
    deviceType: text("device_type"),
    diskBus: text("disk_bus"),
    tag: text("tag"),
    volumeType: text("volume_type"),
  });
}
