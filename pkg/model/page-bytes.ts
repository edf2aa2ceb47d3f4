/** Bytes of a page: with what is around them less than the 4 MiB that gRPC clients take by default. */
export const MAX_PAGE_BYTES = 3 << 20;

/**
 * The first of the rows that fit into a page, at least one: so a list comes to its end whatever a row holds.
 * @param bytesOf  how long a row is, encoded
 */
export function fittingRows<T>(
  rows: readonly T[],
  bytesOf: (row: T) => number,
  maxBytes = MAX_PAGE_BYTES,
): readonly T[] {
  let left = maxBytes;
  const end = rows.findIndex((row, index) => (left -= bytesOf(row)) < 0 && index > 0);
  return end < 0 ? rows : rows.slice(0, end);
}
