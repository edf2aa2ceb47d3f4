import type { SortKey } from "../../../../gen/kilonova/type/v1/page.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { sortKey } from "../../http/paging.js";
import { since } from "../../microversion/version.js";
import { ignoredSortKeys } from "./list-schema.js";

/** Before, `locked` was one of the keys without effect. */
const lockedSortable = since("2.73");

/** Columns that tell where a server is. */
const ADMIN_KEYS = new Set(["host", "node"]);

/**
 * The order asked for. Missing directions repeat the first one; created_at and id are appended by `api`.
 * @throws BAD_REQUEST for a bad direction or one without a key, SORT_FORBIDDEN
 */
export function sortOf(request: ApiRequest): SortKey[] {
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
  if (keys.length === 0) return directions.length === 0 ? [] : [sortKey("created_at", first)];
  const counts = (key: string): boolean =>
    !ignoredSortKeys.includes(key) && (key !== "locked" || request.has(lockedSortable));
  return keys
    .map((key, index) => sortKey(key, directions[index] ?? first))
    .filter(({ field }) => counts(field));
}
