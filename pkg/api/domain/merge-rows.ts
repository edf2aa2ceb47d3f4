import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import type { SortKey } from "../../../gen/kilonova/type/v1/page.js";

/** A row as a database lists it: its sort values decide, its content is not looked at. */
export interface Mergeable {
  readonly sortValues: readonly string[];
  readonly serverId: string;
  readonly generation: bigint;
}

/** A sorted page of one database, and whether it has more. */
export interface SortedPage<R extends Mergeable> {
  readonly database: string;
  readonly rows: readonly R[];
  readonly more: boolean;
}

/** A row and where it came from. */
export interface MergedRow<R extends Mergeable> {
  readonly row: R;
  readonly database: string;
}

/**
 * Merges sorted pages into one. A server that two databases show (it is just moving) counts once, with its
 * highest generation. Pages that have more may end early: nothing beyond the first of their ends is told.
 * @param limit  rows wanted at most
 * @returns `more` when rows beyond the page are known or possible
 */
export function mergePages<R extends Mergeable>(
  pages: readonly SortedPage<R>[],
  sort: readonly SortKey[],
  limit: number,
): { readonly rows: MergedRow<R>[]; readonly more: boolean } {
  const all = pages
    .flatMap(({ database, rows }) => rows.map((row) => ({ row, database })))
    .sort((a, b) => compareRows(a.row, b.row, sort));
  const newest = new Map<string, bigint>();
  for (const { row } of all)
    if ((newest.get(row.serverId) ?? -1n) < row.generation) newest.set(row.serverId, row.generation);
  const shown = new Set<string>();
  const unique = all.filter(
    ({ row }) =>
      row.generation === newest.get(row.serverId) && !shown.has(row.serverId) && shown.add(row.serverId),
  );
  const known = unique.slice(0, knownUntil(unique, pages, sort));
  return { rows: known.slice(0, limit), more: known.length > limit || pages.some((page) => page.more) };
}

/** How many of the merged rows are surely followed by none that no page has yet. */
function knownUntil<R extends Mergeable>(
  merged: readonly MergedRow<R>[],
  pages: readonly SortedPage<R>[],
  sort: readonly SortKey[],
): number {
  const ends = pages.flatMap(({ rows, more }) => (more ? (rows.at(-1) ?? []) : []));
  const beyond = merged.findIndex(({ row }) => ends.some((end) => compareRows(row, end, sort) > 0));
  return beyond < 0 ? merged.length : beyond;
}

function compareRows(a: Mergeable, b: Mergeable, sort: readonly SortKey[]): number {
  for (let i = 0; i < sort.length; i++) {
    const order = compareBytes(a.sortValues[i] ?? "", b.sortValues[i] ?? "");
    if (order !== 0) return sort[i]?.direction === SortDirection.SORT_DIRECTION_DESC ? -order : order;
  }
  return 0;
}

/**
 * Compares as UTF-8 bytes would, like `COLLATE "C"`: JavaScript's own order differs where one side has a
 * surrogate.
 */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
