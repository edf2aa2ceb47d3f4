import type { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import type { SortKey } from "../../../../gen/kilonova/type/v1/page.js";
import { SortDirection } from "../../../../gen/kilonova/type/v1/page.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { CellsErrors } from "../../errors.js";

/** What lists of flavors sort and filter by; null where Nova has none. */
export const flavorColumns = (flavor: Flavor): Readonly<Record<string, unknown>> => ({
  name: flavor.name,
  is_public: flavor.isPublic,
  disabled: flavor.disabled,
  vcpus: flavor.vcpus,
  memory_mib: flavor.memoryMib,
  root_gib: flavor.rootGib,
  ephemeral_gib: flavor.ephemeralGib,
  swap_mib: flavor.swapMib,
  rxtx_factor: flavor.rxtxFactor,
  description: flavor.description ?? null,
  updated_at: fromTimestampOrNull(flavor.updatedAt),
});

/** REST's sort keys. @source compute-api-query-params, GET /flavors sort_key */
const SORT: ReadonlyMap<string, string> = new Map(
  Object.entries({
    flavorid: "id",
    id: "id",
    name: "name",
    memory_mb: "memory_mib",
    vcpus: "vcpus",
    vcpu_weight: "vcpus",
    root_gb: "root_gib",
    ephemeral_gb: "ephemeral_gib",
    swap: "swap_mib",
    rxtx_factor: "rxtx_factor",
    is_public: "is_public",
    disabled: "disabled",
    created_at: "created_at",
    updated_at: "updated_at",
    description: "description",
  }),
);

const TEXT = new Set(["id", "name", "description"]);

/** A column of a list's order; texts compare bytewise, null is smaller than everything. */
export interface OrderedBy {
  readonly column: string;
  readonly text: boolean;
  readonly descending: boolean;
}

/** The full order of a list, ending in the unique id. @throws SORT_KEY_INVALID */
export function flavorOrder(sort: readonly SortKey[]): OrderedBy[] {
  const keys = sort.map(({ field, direction }) => {
    const column = SORT.get(field);
    if (column === undefined) throw CellsErrors.SORT_KEY_INVALID({ field });
    return { column, descending: direction === SortDirection.SORT_DIRECTION_DESC };
  });
  return [...keys, { column: "id", descending: keys[0]?.descending ?? false }].map((key) => ({
    ...key,
    text: TEXT.has(key.column),
  }));
}
