import type { SortKey } from "../../../gen/kilonova/type/v1/page.js";
import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import { ApiErrors } from "../errors.js";

/** What servers can be sorted by, as REST spells it. @source Nova's sort keys as of 2.75 */
const SORTABLE: ReadonlySet<string> = new Set([
  "access_ip_v4",
  "access_ip_v6",
  "auto_disk_config",
  "availability_zone",
  "config_drive",
  "created_at",
  "display_description",
  "display_name",
  "host",
  "hostname",
  "image_ref",
  "instance_type_id",
  "kernel_id",
  "key_name",
  "launch_index",
  "launched_at",
  "locked",
  "locked_by",
  "node",
  "power_state",
  "progress",
  "project_id",
  "ramdisk_id",
  "root_device_name",
  "task_state",
  "terminated_at",
  "updated_at",
  "user_id",
  "uuid",
  "vm_state",
]);
/** Two names of one thing; a key counts once. */
const ALIASES: Readonly<Record<string, string>> = { uuid: "id", locked: "locked_by" };
/** Would tell tenants about hosts. */
const PRIVILEGED: ReadonlySet<string> = new Set(["host", "node"]);
const TIMES: ReadonlySet<string> = new Set(["created_at", "launched_at", "terminated_at", "updated_at"]);

/**
 * The full sort of a list: what was asked for, then created_at and the id in the first direction, so that it
 * is total.
 * @throws BAD_SORT_KEY; NOT_AUTHORIZED for host and node without the right to them
 */
export function fullSort(asked: readonly SortKey[], mayUsePrivileged: boolean): SortKey[] {
  const keys = asked
    .map(({ field, direction }) => {
      if (!SORTABLE.has(field)) throw ApiErrors.BAD_SORT_KEY({ key: field });
      if (PRIVILEGED.has(field) && !mayUsePrivileged)
        throw ApiErrors.NOT_AUTHORIZED({ what: `Not authorized to sort by ${field}` });
      return { field: ALIASES[field] ?? field, direction: direction || defaultDirection(field) };
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
