import { fittingRows } from "../../model/page-bytes.js";

/**
 * The page of rows that a statement with `LIMIT limit + 1` has found: at most `limit`, and no more than fit,
 * but one at least.
 * @param bytesOf  how long a row will be, encoded; near is enough
 */
export function pageOf<R>(
  rows: readonly R[],
  limit: number,
  bytesOf: (row: R) => number,
): { readonly page: readonly R[]; readonly more: boolean } {
  const page = fittingRows(rows.slice(0, limit), bytesOf);
  return { page, more: rows.length > page.length };
}
