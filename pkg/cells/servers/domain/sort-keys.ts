import type { SortKey } from "../../../../gen/kilonova/type/v1/page.js";
import { SortDirection } from "../../../../gen/kilonova/type/v1/page.js";
import { isoMicros } from "../../../kernel/time.js";
import { CellsErrors } from "../../errors.js";

/** How a column's values become text that sorts as the column does. */
type Kind = "text" | "number" | "bool" | "time";

/** REST's sort keys and the columns behind them. @source compute-api-query-params, GET /servers sort_key */
const SORTABLE: ReadonlyMap<string, readonly [column: string, kind: Kind]> = new Map(
  Object.entries<readonly [column: string, kind: Kind]>({
    access_ip_v4: ["access_ip_v4", "text"],
    access_ip_v6: ["access_ip_v6", "text"],
    auto_disk_config: ["disk_config", "number"],
    availability_zone: ["availability_zone", "text"],
    config_drive: ["config_drive", "bool"],
    created_at: ["created_at", "time"],
    display_description: ["description", "text"],
    display_name: ["name", "text"],
    host: ["host", "text"],
    hostname: ["hostname", "text"],
    image_ref: ["image_id", "text"],
    instance_type_id: ["flavor_id", "text"],
    kernel_id: ["kernel_id", "text"],
    key_name: ["key_name", "text"],
    launch_index: ["launch_index", "number"],
    launched_at: ["launched_at", "time"],
    locked: ["locked_by", "text"],
    locked_by: ["locked_by", "text"],
    node: ["node", "text"],
    power_state: ["power_state", "number"],
    progress: ["progress", "number"],
    project_id: ["project_id", "text"],
    ramdisk_id: ["ramdisk_id", "text"],
    root_device_name: ["root_device_name", "text"],
    task_state: ["task_state", "text"],
    terminated_at: ["terminated_at", "time"],
    updated_at: ["updated_at", "time"],
    user_id: ["user_id", "text"],
    uuid: ["id", "text"],
    id: ["id", "text"],
    vm_state: ["vm_state", "text"],
  }),
);

/** One column of a full sort. */
export interface SortColumn {
  readonly column: string;
  readonly kind: Kind;
  readonly descending: boolean;
}

/** The columns of a sort, ending in the unique id. @throws SORT_KEY_INVALID */
export function sortColumns(keys: readonly SortKey[]): SortColumn[] {
  const columns = (
    keys.length === 0 ? [{ field: "created_at", direction: SortDirection.SORT_DIRECTION_DESC }] : keys
  ).map(({ field, direction }): SortColumn => {
    const known = SORTABLE.get(field);
    if (known === undefined) throw CellsErrors.SORT_KEY_INVALID({ field });
    const [column, kind] = known;
    const descending =
      direction === SortDirection.SORT_DIRECTION_UNSPECIFIED
        ? kind === "time"
        : direction === SortDirection.SORT_DIRECTION_DESC;
    return { column, kind, descending };
  });
  const unique = columns.filter(
    ({ column }, index) => columns.findIndex((other) => other.column === column) === index,
  );
  const end = unique.findIndex(({ column }) => column === "id");
  if (end >= 0) return unique.slice(0, end + 1);
  return [...unique, { column: "id", kind: "text", descending: unique.at(-1)?.descending ?? false }];
}

const NULL = "\u0000n";

/** A value as pages carry it: texts compare as the column sorts, null before everything. */
export function sortValue(value: unknown, kind: Kind): string {
  if (value === null || value === undefined) return NULL;
  if (kind === "number") return `\u0001${String(value as number).padStart(20, "0")}`;
  if (kind === "bool") return value === true ? "\u00011" : "\u00010";
  if (kind === "time") return `\u0001${isoMicros(value as bigint)}`;
  return `\u0001${String(value)}`;
}

/** The value behind a page's text, as a parameter; null for null. */
export function fromSortValue(text: string, kind: Kind): string | number | boolean | null {
  if (text === NULL) return null;
  const plain = text.slice(1);
  if (kind === "number") return Number(plain);
  if (kind === "bool") return plain === "1";
  return kind === "time" ? `${plain}Z` : plain;
}
