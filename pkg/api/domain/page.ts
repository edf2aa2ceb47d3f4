/** Rows of a page when nothing is asked for, and the most. */
const DEFAULT_ROWS = 100;
const MAX_ROWS = 1000;
/** Rows of a page for what a request asks: 0 is the default, too many are the most. */
export const rowsOf = (asked: number): number => Math.min(asked || DEFAULT_ROWS, MAX_ROWS);
