/** A column of a list's order. */
interface Sorted {
  readonly column: string;
}

/**
 * An order in which each column stands once, where it stood first: what comes again orders nothing any more.
 * It has no more columns than there are, whatever is asked for: a page's conditions are as many as the square
 * of their number.
 */
export function eachColumnOnce<S extends Sorted>(sort: readonly S[]): S[] {
  const seen = new Set<string>();
  return sort.filter(({ column }) => {
    if (seen.has(column)) return false;
    seen.add(column);
    return true;
  });
}
