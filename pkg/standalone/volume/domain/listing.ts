import { eachColumnOnce } from "../../shared/sort-order.js";
import { E } from "../errors.js";
import type { Minor } from "./microversion.js";

/** What lists of one kind of thing may be asked for. */
export interface ListingSpec {
  /** Filters of texts, and the columns behind them. */
  readonly filters: Readonly<Record<string, string>>;
  /** Filters of yes or no. */
  readonly flags: readonly string[];
  /** Sort keys, and the columns behind them. */
  readonly sortable: Readonly<Record<string, string>>;
  readonly metadata: boolean;
}

/** A list request, checked. Conditions hold together. */
export interface Listing {
  readonly filters: readonly { readonly column: string; readonly value: string | boolean }[];
  readonly metadata: Readonly<Record<string, string>>;
  /** All projects', which only administrators may have. */
  readonly everywhere: boolean;
  /** One project's, which only administrators may choose. */
  readonly projectId: string | undefined;
  readonly sort: readonly { readonly column: string; readonly descending: boolean }[];
  readonly limit: number;
  readonly marker: string | undefined;
  readonly offset: number;
  /** Whether to count what there is on all pages (3.45). */
  readonly counted: boolean;
}

const MAX_LIMIT = 1_000;
const MAX_OFFSET = 1_000_000;
const SINCE_COUNT: Minor = 45;

/** Reads the query of a list. Names that nobody knows are ignored, as Cinder does. @throws INVALID_INPUT */
export function readListing(
  query: ReadonlyMap<string, readonly string[]>,
  spec: ListingSpec,
  { minor, admin }: { readonly minor: Minor; readonly admin: boolean },
): Listing {
  const last = (name: string): string | undefined => query.get(name)?.at(-1);
  const filters: Listing["filters"][number][] = [];
  for (const [name, column] of Object.entries(spec.filters)) {
    const value = last(name);
    if (value !== undefined) filters.push({ column, value });
  }
  for (const name of spec.flags) {
    const value = last(name);
    if (value !== undefined) filters.push({ column: name, value: readFlag(name, value) });
  }
  const everywhere = last("all_tenants");
  return {
    filters,
    metadata: spec.metadata ? readMetadata(last("metadata")) : {},
    everywhere: admin && everywhere !== undefined && !isNo(everywhere),
    projectId: admin ? (last("project_id") ?? last("tenant_id")) : undefined,
    sort: readSort(query, spec),
    limit: Math.min(readCount("limit", last("limit")) ?? MAX_LIMIT, MAX_LIMIT),
    marker: last("marker"),
    offset: Math.min(readCount("offset", last("offset")) ?? 0, MAX_OFFSET),
    counted: minor >= SINCE_COUNT && /^(true|1|yes|on|t|y)$/i.test(last("with_count") ?? ""),
  };
}

const isNo = (text: string): boolean => /^(0|f|false|off|n|no)$/i.test(text.trim());

function readFlag(name: string, text: string): boolean {
  if (isNo(text)) return false;
  if (/^(1|t|true|on|y|yes)$/i.test(text.trim())) return true;
  throw E.INVALID_INPUT({ reason: `'${text.slice(0, 40)}' is no boolean (${name})` });
}

function readCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw E.INVALID_INPUT({ reason: `${name} param must be an integer` });
  return Number(text);
}

/** `{'key': 'value'}` as clients write it, or JSON. */
function readMetadata(text: string | undefined): Readonly<Record<string, string>> {
  if (text === undefined) return {};
  const value = parsed(text) ?? parsed(text.replaceAll(/u?'/g, '"'));
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw E.INVALID_INPUT({ reason: "metadata filter must be an object" });
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readSort(query: ReadonlyMap<string, readonly string[]>, spec: ListingSpec): Listing["sort"] {
  const text = query.get("sort")?.at(-1);
  const keys = query.get("sort_key") ?? [];
  const dirs = query.get("sort_dir") ?? [];
  if (text !== undefined && (keys.length > 0 || dirs.length > 0))
    throw E.INVALID_INPUT({
      reason:
        'The "sort_key" and "sort_dir" parameters are deprecated and cannot be used with the "sort" parameter.',
    });
  const wanted =
    text === undefined
      ? keys.map((key, at): readonly [string, string] => [key, dirs[at] ?? dirs[0] ?? "desc"])
      : text.split(",").map((part): readonly [string, string] => {
          const [key = "", dir = "desc"] = part.trim().split(":");
          return [key, dir];
        });
  const read = wanted.map(([key, dir]) => {
    const column = Object.hasOwn(spec.sortable, key) ? spec.sortable[key] : undefined;
    if (column === undefined) throw E.INVALID_INPUT({ reason: `Invalid sort key: ${key.slice(0, 40)}` });
    if (dir !== "asc" && dir !== "desc")
      throw E.INVALID_INPUT({ reason: "Unknown sort direction, must be one of asc or desc." });
    return { column, descending: dir === "desc" };
  });
  const sort = eachColumnOnce(read);
  // The order is total, so pages never overlap.
  const descending = sort.at(-1)?.descending ?? true;
  const has = (column: string): boolean => sort.some((one) => one.column === column);
  return [
    ...sort,
    ...["created_at", "id"].filter((column) => !has(column)).map((column) => ({ column, descending })),
  ];
}
