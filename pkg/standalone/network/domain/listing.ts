import { eachColumnOnce } from "../../shared/sort-order.js";
import { E } from "../errors.js";

/** How one query parameter filters: by a column of the resource's table, or by something the store knows. */
export type FilterKind = "text" | "flag" | "number";
export interface ListingSpec {
  /** API names and the columns behind them. */
  readonly columns: Readonly<Record<string, { readonly column: string; readonly kind: FilterKind }>>;
  /** Further names that the store handles itself. */
  readonly special: readonly string[];
  /** Columns (never NULL) that may be sorted by. */
  readonly sortable: readonly string[];
  readonly tagged: boolean;
}

/** A list request, checked. */
export interface Listing {
  readonly filters: readonly {
    readonly column: string;
    readonly values: readonly (string | number | boolean)[];
  }[];
  readonly special: ReadonlyMap<string, readonly string[]>;
  readonly tags: readonly {
    readonly names: readonly string[];
    readonly all: boolean;
    readonly not: boolean;
  }[];
  /** Which fields to show; empty for all. */
  readonly fields: readonly string[];
  readonly sort: readonly { readonly column: string; readonly descending: boolean }[];
  readonly limit: number | undefined;
  readonly marker: string | undefined;
  /** Shows the page before the marker. */
  readonly reverse: boolean;
}

const PAGING = new Set(["fields", "limit", "marker", "page_reverse", "sort_key", "sort_dir"]);
const TAG_FILTERS: Readonly<Record<string, { readonly all: boolean; readonly not: boolean }>> = {
  tags: { all: true, not: false },
  "tags-any": { all: false, not: false },
  "not-tags": { all: true, not: true },
  "not-tags-any": { all: false, not: true },
};

/**
 * Reads the query of a list. @throws INVALID_INPUT also for names nobody knows (extension filter-validation)
 */
export function readListing(query: ReadonlyMap<string, readonly string[]>, spec: ListingSpec): Listing {
  const filters: Listing["filters"][number][] = [];
  const special = new Map<string, readonly string[]>();
  const tags: Listing["tags"][number][] = [];
  for (const [name, values] of query) {
    if (PAGING.has(name)) continue;
    const column = Object.hasOwn(spec.columns, name) ? spec.columns[name] : undefined;
    const tagFilter = spec.tagged && Object.hasOwn(TAG_FILTERS, name) ? TAG_FILTERS[name] : undefined;
    if (column)
      filters.push({
        column: column.column,
        values: values.map((value) => readValue(name, column.kind, value)),
      });
    else if (tagFilter) tags.push({ ...tagFilter, names: values.flatMap((value) => value.split(",")) });
    else if (spec.special.includes(name)) special.set(name, values);
    else throw E.INVALID_INPUT({ problem: `'${name}' is invalid attribute for filtering` });
  }
  const limit = query.get("limit")?.at(-1);
  if (limit !== undefined && !/^\d{1,9}$/.test(limit))
    throw E.BAD_REQUEST({ resource: "limit", problem: `'${limit}' is not a non-negative integer` });
  return {
    filters,
    special,
    tags,
    fields: (query.get("fields") ?? []).flatMap((field) => field.split(",")),
    sort: readSort(query, spec),
    limit: limit === undefined || limit === "0" ? undefined : Number(limit),
    marker: query.get("marker")?.at(-1),
    reverse: query.get("page_reverse")?.at(-1)?.toLowerCase() === "true",
  };
}

function readValue(name: string, kind: FilterKind, value: string): string | number | boolean {
  if (kind === "text") return value;
  if (kind === "number") {
    if (!/^\d{1,15}$/.test(value))
      throw E.INVALID_INPUT({ problem: `'${value}' is not an integer (${name})` });
    return Number(value);
  }
  const word = value.toLowerCase();
  if (["true", "1", "t", "yes"].includes(word)) return true;
  if (["false", "0", "f", "no"].includes(word)) return false;
  throw E.INVALID_INPUT({ problem: `'${value}' cannot be converted to boolean (${name})` });
}

function readSort(query: ReadonlyMap<string, readonly string[]>, spec: ListingSpec): Listing["sort"] {
  const keys = query.get("sort_key") ?? [];
  const dirs = query.get("sort_dir") ?? [];
  if (dirs.length > 0 && dirs.length !== keys.length)
    throw E.BAD_REQUEST({ resource: "sort", problem: "The number of sort_keys and sort_dirs must be same" });
  const read = keys.map((key, at) => {
    const column = Object.hasOwn(spec.columns, key) ? spec.columns[key]?.column : undefined;
    if (column === undefined || !spec.sortable.includes(column))
      throw E.BAD_REQUEST({ resource: "sort", problem: `${key} is an invalid attribute for sort keys` });
    const dir = dirs[at] ?? "asc";
    if (dir !== "asc" && dir !== "desc")
      throw E.BAD_REQUEST({ resource: "sort", problem: "sort_dir must be asc or desc" });
    return { column, descending: dir === "desc" };
  });
  const sort = eachColumnOnce(read);
  return sort.some(({ column }) => column === "id") ? sort : [...sort, { column: "id", descending: false }];
}

/** Only the fields asked for. */
export function pickFields(
  item: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): Readonly<Record<string, unknown>> {
  if (fields.length === 0) return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => fields.includes(name)));
}
