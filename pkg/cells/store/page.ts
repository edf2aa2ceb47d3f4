/** Bytes of the bodies of one page; `api` promises its clients as much. */
const MAX_PAGE_BYTES = 3 << 20;

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
  let left = MAX_PAGE_BYTES;
  const full = rows.findIndex((row, index) => (left -= bytesOf(row)) < 0 && index > 0);
  const page = rows.slice(0, full < 0 ? limit : Math.min(full, limit));
  return { page, more: rows.length > page.length };
}
