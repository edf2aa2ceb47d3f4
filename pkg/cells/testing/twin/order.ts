/** Texts as a column with `COLLATE "C"` compares them: by their bytes. */
export const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What a column holds. */
export type Cell = string | number | bigint | boolean | null;

/** Values of one column; null is smaller than everything. */
export function byValue(a: Cell, b: Cell): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (typeof a === "string" && typeof b === "string") return bytewise(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The size that a request asks for, within the service's bounds. */
export const pageSize = (asked: number, usual = 1_000): number =>
  Math.min(1_000, asked === 0 ? usual : asked);
