import type { ServerSort } from "../../../gen/kilonova/api/v1/servers_service.js";
import { ServerSortField } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { SortKey } from "../../../gen/kilonova/type/v1/page.js";
import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import { ApiErrors } from "../errors.js";

/** What the stores call the fields. */
const columns: Readonly<Record<ServerSortField, string>> = {
  [ServerSortField.SERVER_SORT_FIELD_UNSPECIFIED]: "",
  [ServerSortField.SERVER_SORT_FIELD_ACCESS_IP_V4]: "access_ip_v4",
  [ServerSortField.SERVER_SORT_FIELD_ACCESS_IP_V6]: "access_ip_v6",
  [ServerSortField.SERVER_SORT_FIELD_AVAILABILITY_ZONE]: "availability_zone",
  [ServerSortField.SERVER_SORT_FIELD_CONFIG_DRIVE]: "config_drive",
  [ServerSortField.SERVER_SORT_FIELD_CREATED_AT]: "created_at",
  [ServerSortField.SERVER_SORT_FIELD_DESCRIPTION]: "display_description",
  [ServerSortField.SERVER_SORT_FIELD_DISK_CONFIG]: "auto_disk_config",
  [ServerSortField.SERVER_SORT_FIELD_FLAVOR_ID]: "instance_type_id",
  [ServerSortField.SERVER_SORT_FIELD_HOST]: "host",
  [ServerSortField.SERVER_SORT_FIELD_HOSTNAME]: "hostname",
  [ServerSortField.SERVER_SORT_FIELD_ID]: "id",
  [ServerSortField.SERVER_SORT_FIELD_IMAGE_ID]: "image_ref",
  [ServerSortField.SERVER_SORT_FIELD_KERNEL_ID]: "kernel_id",
  [ServerSortField.SERVER_SORT_FIELD_KEY_NAME]: "key_name",
  [ServerSortField.SERVER_SORT_FIELD_LAUNCH_INDEX]: "launch_index",
  [ServerSortField.SERVER_SORT_FIELD_LAUNCHED_AT]: "launched_at",
  [ServerSortField.SERVER_SORT_FIELD_LOCKED_BY]: "locked_by",
  [ServerSortField.SERVER_SORT_FIELD_NAME]: "display_name",
  [ServerSortField.SERVER_SORT_FIELD_NODE]: "node",
  [ServerSortField.SERVER_SORT_FIELD_POWER_STATE]: "power_state",
  [ServerSortField.SERVER_SORT_FIELD_PROGRESS]: "progress",
  [ServerSortField.SERVER_SORT_FIELD_PROJECT_ID]: "project_id",
  [ServerSortField.SERVER_SORT_FIELD_RAMDISK_ID]: "ramdisk_id",
  [ServerSortField.SERVER_SORT_FIELD_ROOT_DEVICE_NAME]: "root_device_name",
  [ServerSortField.SERVER_SORT_FIELD_TASK_STATE]: "task_state",
  [ServerSortField.SERVER_SORT_FIELD_TERMINATED_AT]: "terminated_at",
  [ServerSortField.SERVER_SORT_FIELD_UPDATED_AT]: "updated_at",
  [ServerSortField.SERVER_SORT_FIELD_USER_ID]: "user_id",
  [ServerSortField.SERVER_SORT_FIELD_VM_STATE]: "vm_state",
};
/** Would tell tenants about hosts. */
const PRIVILEGED: ReadonlySet<string> = new Set(["host", "node"]);
const TIMES: ReadonlySet<string> = new Set(["created_at", "launched_at", "terminated_at", "updated_at"]);

/**
 * The full sort of a list, in the stores' terms: what was asked for, then created_at and the id in the first
 * direction, so that it is total.
 * @throws NOT_AUTHORIZED for host and node without the right to them
 */
export function fullSort(sort: readonly ServerSort[], mayUsePrivileged: boolean): SortKey[] {
  const keys = sort
    .map(({ field: asked, direction }) => {
      const field = columns[asked];
      if (PRIVILEGED.has(field) && !mayUsePrivileged)
        throw ApiErrors.NOT_AUTHORIZED({ what: `Not authorized to sort by ${field}` });
      return { field, direction: direction || defaultDirection(field) };
    })
    .filter((key, index, all) => all.findIndex((other) => other.field === key.field) === index);
  const last = keys[0]?.direction ?? SortDirection.SORT_DIRECTION_DESC;
  for (const field of ["created_at", "id"])
    if (!keys.some((key) => key.field === field)) keys.push({ field, direction: last });
  const end = keys.findIndex((key) => key.field === "id");
  return keys.slice(0, end + 1); // nothing after the unique key matters
}

const defaultDirection = (field: string): SortDirection =>
  TIMES.has(field) ? SortDirection.SORT_DIRECTION_DESC : SortDirection.SORT_DIRECTION_ASC;
