import type { Instant } from "../../../kernel/index.js";
import { parseIso } from "../../../kernel/index.js";
import { eachColumnOnce } from "../../shared/sort-order.js";
import { E } from "../errors.js";
import { statuses, visibilities } from "./model.js";
import type { Visibility } from "./model.js";

export type TextColumn =
  "id" | "name" | "status" | "owner" | "disk_format" | "container_format" | "checksum" | "hash_value";
export type NumberColumn = "size" | "min_disk" | "min_ram";
export type TimeColumn = "created_at" | "updated_at";
export type SortColumn =
  "name" | "status" | "container_format" | "disk_format" | "size" | "id" | "created_at" | "updated_at";
export type Comparison = "=" | "!=" | ">" | ">=" | "<" | "<=";

/** A list request, checked. Conditions hold together. */
export interface ImageListQuery {
  readonly text: readonly { readonly column: TextColumn; readonly anyOf: readonly string[] }[];
  readonly numbers: readonly {
    readonly column: NumberColumn;
    readonly op: Comparison;
    readonly value: number;
  }[];
  readonly times: readonly {
    readonly column: TimeColumn;
    readonly op: Comparison;
    readonly value: Instant;
  }[];
  readonly properties: readonly { readonly name: string; readonly value: string }[];
  readonly tags: readonly string[];
  readonly visibility: Visibility | "all" | undefined;
  readonly memberStatus: "pending" | "accepted" | "rejected" | "all";
  readonly protected: boolean | undefined;
  readonly hidden: boolean;
  readonly sort: readonly { readonly column: SortColumn; readonly descending: boolean }[];
  readonly limit: number;
  readonly marker: string | undefined;
}

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 1_000;
const MAX_CONDITIONS = 100;

const TEXT: Readonly<Record<string, { readonly column: TextColumn; readonly many: boolean }>> = {
  id: { column: "id", many: true },
  name: { column: "name", many: true },
  status: { column: "status", many: true },
  owner: { column: "owner", many: false },
  checksum: { column: "checksum", many: false },
  os_hash_value: { column: "hash_value", many: false },
  disk_format: { column: "disk_format", many: true },
  container_format: { column: "container_format", many: true },
};
const NUMBERS: Readonly<Record<string, { readonly column: NumberColumn; readonly op: Comparison }>> = {
  size_min: { column: "size", op: ">=" },
  size_max: { column: "size", op: "<=" },
  size: { column: "size", op: "=" },
  min_disk: { column: "min_disk", op: "=" },
  min_ram: { column: "min_ram", op: "=" },
};
const OPERATORS: Readonly<Record<string, Comparison>> = {
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
  eq: "=",
  neq: "!=",
};
const SORTABLE = [
  "name",
  "status",
  "container_format",
  "disk_format",
  "size",
  "id",
  "created_at",
  "updated_at",
] as const;
const PAGING = new Set(["limit", "marker", "sort", "sort_key", "sort_dir"]);

/** Reads the query of a list. Names that nobody knows are properties. @throws INVALID */
export function readListQuery(query: ReadonlyMap<string, readonly string[]>): ImageListQuery {
  const out = { text: [], numbers: [], times: [], properties: [], tags: [] } as Mutable;
  let conditions = 0;
  for (const [name, values] of query) {
    if (PAGING.has(name)) continue;
    conditions += values.length;
    if (conditions > MAX_CONDITIONS) throw E.INVALID({ problem: "Too many filters." });
    for (const value of values) readFilter(out, name, value);
  }
  const last = (name: string): string | undefined => query.get(name)?.at(-1);
  return {
    ...out,
    visibility: readVisibility(last("visibility")),
    memberStatus: readMemberStatus(last("member_status")),
    protected: readFlag("protected", last("protected")),
    hidden: readFlag("os_hidden", last("os_hidden")) ?? false,
    sort: readSort(query),
    limit: readLimit(last("limit")),
    marker: last("marker"),
  };
}

type Mutable = {
  -readonly [K in "text" | "numbers" | "times" | "properties" | "tags"]: ImageListQuery[K][number][];
};
const ELSEWHERE = new Set(["visibility", "member_status", "protected", "os_hidden"]);

function readFilter(out: Mutable, name: string, value: string): void {
  if (ELSEWHERE.has(name)) return;
  const text = Object.hasOwn(TEXT, name) ? TEXT[name] : undefined;
  const number = Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
  if (text) {
    const anyOf = text.many && value.startsWith("in:") ? splitList(value.slice(3)) : [value];
    if (text.column === "status" && !anyOf.every((one) => statuses.some((status) => status === one)))
      throw E.INVALID({ problem: `Invalid status value: ${value}` });
    out.text.push({ column: text.column, anyOf });
  } else if (number) {
    out.numbers.push({ ...number, value: readCount(name, value) });
  } else if (name === "created_at" || name === "updated_at") {
    out.times.push(readTime(name, value));
  } else if (name === "tag") {
    out.tags.push(value);
  } else {
    out.properties.push({ name, value });
  }
}

/** A comma-separated list; parts with commas or quotes are in double quotes. */
function splitList(text: string): string[] {
  const parts = [...text.matchAll(/\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*))\s*(,|$)/gy)];
  const consumed = parts.reduce((sum, part) => sum + part[0].length, 0);
  if (consumed !== text.length)
    throw E.INVALID({ problem: "Invalid filter value: the quotes are not completely closed." });
  return parts
    .flatMap((part) => part[1]?.replaceAll(/\\(.)/g, "$1") ?? part[2]?.trim() ?? [])
    .filter((part) => part !== "");
}

function readTime(column: TimeColumn, value: string): ImageListQuery["times"][number] {
  const match = /^(gt|gte|lt|lte|eq|neq):(.*)$/s.exec(value);
  const at = parseIso(match?.[2] ?? value);
  if (at === undefined) throw E.INVALID({ problem: `Invalid time in filter ${column}: ${value}` });
  return { column, op: OPERATORS[match?.[1] ?? "eq"] ?? "=", value: at };
}

function readSort(query: ReadonlyMap<string, readonly string[]>): ImageListQuery["sort"] {
  const sort = query.get("sort")?.at(-1);
  const dirs = query.get("sort_dir") ?? [];
  const keys = query.get("sort_key") ?? (dirs.length > 0 ? ["created_at"] : []);
  if (sort !== undefined && keys.length > 0)
    throw E.INVALID({ problem: "Old and new sorting syntax cannot be combined" });
  if (dirs.length > 1 && dirs.length !== keys.length)
    throw E.INVALID({ problem: "Number of sort dirs does not match the number of sort keys" });
  const wanted =
    sort !== undefined
      ? sort
          .split(",")
          .map((part): readonly [string, string] => [
            part.split(":")[0]?.trim() ?? "",
            part.split(":")[1]?.trim() ?? "desc",
          ])
      : keys.map((key, at): readonly [string, string] => [key, dirs[at] ?? dirs[0] ?? "desc"]);
  const asked = wanted.map(([key, dir]) => {
    const column = SORTABLE.find((one) => one === key);
    if (column === undefined) throw E.INVALID({ problem: `Invalid sort key: ${key}` });
    if (dir !== "asc" && dir !== "desc") throw E.INVALID({ problem: `Invalid sort direction: ${dir}` });
    return { column, descending: dir === "desc" };
  });
  const read = eachColumnOnce(asked);
  const descending = read.at(-1)?.descending ?? true;
  const has = (column: SortColumn): boolean => read.some((one) => one.column === column);
  // Glance's tie-breakers: the order is total, so pages never overlap.
  return [
    ...read,
    ...(["created_at", "id"] as const)
      .filter((column) => !has(column))
      .map((column) => ({ column, descending })),
  ];
}

function readLimit(text: string | undefined): number {
  return text === undefined ? DEFAULT_LIMIT : Math.min(readCount("limit", text), MAX_LIMIT);
}

function readCount(name: string, text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (value === undefined) throw E.INVALID({ problem: `${name} param must be a non-negative integer` });
  return value;
}

function readVisibility(text: string | undefined): Visibility | "all" | undefined {
  if (text === undefined || text === "all") return text;
  const found = visibilities.find((one) => one === text);
  if (found === undefined) throw E.INVALID({ problem: `Invalid visibility value: ${text}` });
  return found;
}

function readMemberStatus(text: string | undefined): ImageListQuery["memberStatus"] {
  if (text === undefined) return "accepted";
  const found = (["pending", "accepted", "rejected", "all"] as const).find((one) => one === text);
  if (found === undefined) throw E.INVALID({ problem: `Invalid status: ${text}` });
  return found;
}

function readFlag(name: string, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  const word = text.toLowerCase();
  if (word !== "true" && word !== "false")
    throw E.INVALID({ problem: `Invalid value for ${name}: must be 'true' or 'false'` });
  return word === "true";
}
