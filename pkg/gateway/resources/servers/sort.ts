import { ServerSortField } from "../../../../gen/kilonova/api/v1/servers_service.js";
import type { ServerSort } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { directionOf } from "../../http/paging.js";
import { since } from "../../microversion/version.js";

/** Before, `locked` was one of the keys without effect. */
const lockedSortable = since("2.73");

/** REST names columns. Others that it accepts have no effect. */
export const sortFields: ReadonlyMap<string, ServerSortField> = new Map(
  Object.entries({
    access_ip_v4: ServerSortField.SERVER_SORT_FIELD_ACCESS_IP_V4,
    access_ip_v6: ServerSortField.SERVER_SORT_FIELD_ACCESS_IP_V6,
    auto_disk_config: ServerSortField.SERVER_SORT_FIELD_DISK_CONFIG,
    availability_zone: ServerSortField.SERVER_SORT_FIELD_AVAILABILITY_ZONE,
    config_drive: ServerSortField.SERVER_SORT_FIELD_CONFIG_DRIVE,
    created_at: ServerSortField.SERVER_SORT_FIELD_CREATED_AT,
    display_description: ServerSortField.SERVER_SORT_FIELD_DESCRIPTION,
    display_name: ServerSortField.SERVER_SORT_FIELD_NAME,
    host: ServerSortField.SERVER_SORT_FIELD_HOST,
    hostname: ServerSortField.SERVER_SORT_FIELD_HOSTNAME,
    image_ref: ServerSortField.SERVER_SORT_FIELD_IMAGE_ID,
    instance_type_id: ServerSortField.SERVER_SORT_FIELD_FLAVOR_ID,
    kernel_id: ServerSortField.SERVER_SORT_FIELD_KERNEL_ID,
    key_name: ServerSortField.SERVER_SORT_FIELD_KEY_NAME,
    launch_index: ServerSortField.SERVER_SORT_FIELD_LAUNCH_INDEX,
    launched_at: ServerSortField.SERVER_SORT_FIELD_LAUNCHED_AT,
    locked: ServerSortField.SERVER_SORT_FIELD_LOCKED_BY,
    locked_by: ServerSortField.SERVER_SORT_FIELD_LOCKED_BY,
    node: ServerSortField.SERVER_SORT_FIELD_NODE,
    power_state: ServerSortField.SERVER_SORT_FIELD_POWER_STATE,
    progress: ServerSortField.SERVER_SORT_FIELD_PROGRESS,
    project_id: ServerSortField.SERVER_SORT_FIELD_PROJECT_ID,
    ramdisk_id: ServerSortField.SERVER_SORT_FIELD_RAMDISK_ID,
    root_device_name: ServerSortField.SERVER_SORT_FIELD_ROOT_DEVICE_NAME,
    task_state: ServerSortField.SERVER_SORT_FIELD_TASK_STATE,
    terminated_at: ServerSortField.SERVER_SORT_FIELD_TERMINATED_AT,
    updated_at: ServerSortField.SERVER_SORT_FIELD_UPDATED_AT,
    user_id: ServerSortField.SERVER_SORT_FIELD_USER_ID,
    uuid: ServerSortField.SERVER_SORT_FIELD_ID,
    vm_state: ServerSortField.SERVER_SORT_FIELD_VM_STATE,
  }),
);

/** Columns that tell where a server is. */
const ADMIN_KEYS = new Set(["host", "node"]);

/**
 * The order asked for. Missing directions repeat the first one; created_at and id are appended by `api`.
 * @throws BAD_REQUEST for a bad direction or one without a key, SORT_FORBIDDEN
 */
export function sortOf(request: ApiRequest): ServerSort[] {
  const keys = request.query.get("sort_key") ?? [];
  const directions = (request.query.get("sort_dir") ?? []).map((dir) => dir.toLowerCase());
  for (const dir of directions) {
    if (dir !== "asc" && dir !== "desc")
      throw GatewayErrors.BAD_REQUEST({ message: `Unknown sort direction, must be one of: asc, desc` });
  }
  if (directions.length > Math.max(1, keys.length))
    throw GatewayErrors.BAD_REQUEST({ message: "Sort direction array size exceeds sort key array size" });
  const hidden = keys.find((key) => ADMIN_KEYS.has(key));
  if (hidden !== undefined && !request.isAdmin) throw GatewayErrors.SORT_FORBIDDEN({ key: hidden });
  const first = directions[0] ?? "desc";
  if (keys.length === 0) {
    if (directions.length === 0) return [];
    return [{ field: ServerSortField.SERVER_SORT_FIELD_CREATED_AT, direction: directionOf(first) }];
  }
  return keys.flatMap((key, index) => {
    const field = key === "locked" && !request.has(lockedSortable) ? undefined : sortFields.get(key);
    return field === undefined ? [] : [{ field, direction: directionOf(directions[index] ?? first) }];
  });
}
