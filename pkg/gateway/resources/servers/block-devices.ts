import { GatewayErrors } from "../../errors.js";
import { booleanOf, listOf, member, numberOf, textOf } from "../../http/fields.js";
import type { Json, JsonObject } from "../../http/json.js";
import { isObject } from "../../http/json.js";

/**
 * The block devices of a create body in the form of `block_device_mapping_v2`, with words and digits turned
 * into booleans and numbers. The older list only knew volumes and snapshots, whose first one boots when there
 * is no image.
 * @throws BAD_REQUEST when both lists are given
 */
export function blockDevicesOf(body: JsonObject): JsonObject[] {
  const [old, current] = [member(body, "block_device_mapping"), member(body, "block_device_mapping_v2")];
  if (old !== undefined && current !== undefined) {
    throw GatewayErrors.BAD_REQUEST({
      message: "Using different block_device_mapping syntaxes is not allowed in the same request.",
    });
  }
  if (old === undefined) return devices(body, "block_device_mapping_v2").map(normalize);
  const boots = (textOf(body, "imageRef") ?? "") === "";
  return devices(body, "block_device_mapping")
    .filter((device) => !isUnset(member(device, "no_device")) || hasSource(device))
    .map((device, index) => normalize(fromOldForm(device, boots && index === 0)));
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

function normalize(device: JsonObject): JsonObject {
  const out: Record<string, Json> = { ...device };
  for (const key of ["volume_size", "boot_index"]) {
    const value = numberOf(device, key);
    if (value !== undefined) out[key] = value;
  }
  const deletes = booleanOf(device, "delete_on_termination");
  if (deletes !== undefined) out["delete_on_termination"] = deletes;
  return out;
}
