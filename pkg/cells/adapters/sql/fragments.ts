import { DbError } from "../../../platform/db/index.js";
import { sql } from "./sql.js";
import type { Sql } from "./sql.js";

/** A named part of a WITH clause that writes; the parts of one statement see the same snapshot. */
export interface Part {
  readonly name: string;
  readonly body: Sql;
}

/** `a = $1, b = $2`, in the record's order, so that the text stays the same and stays prepared. */
export const assignments = (values: Readonly<Record<string, unknown>>): Sql =>
  sql.join(Object.entries(values).map(([column, value]) => sql`${sql.ref(column)} = ${value}`));

/** `INSERT INTO t (…) VALUES (…), (…)`; all rows must have the same columns in the same order. */
export function insertInto(table: Sql, rows: readonly Readonly<Record<string, unknown>>[]): Sql {
  const columns = Object.keys(rows[0] ?? {});
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
  return sql`INSERT INTO ${table} (${sql.join(columns.map((column) => sql.ref(column)))}) VALUES ${sql.join(values)}`;
}

const clauses = (parts: readonly Part[]): Sql =>
  sql.join(parts.map(({ name, body }) => sql`${sql.ref(name)} AS (${body} RETURNING 1)`));

/** One statement out of writing parts: a round trip instead of one for each. */
export const allTogether = (parts: readonly Part[]): Sql => sql`WITH ${clauses(parts)} SELECT 1`;

/**
 * As `allTogether`, when `condition` gives a row. Otherwise nothing is written: dividing by the number of
 * rows undoes the statement as a whole.
 * @param columns  what it answers, each with a comma before it; may read from `held`, the condition's row
 */
export const onlyWhere = <R = unknown>(
  condition: Sql,
  parts: readonly Part[],
  columns: Sql = sql``,
): Sql<R> =>
  sql<R>`WITH held AS (${condition}), ${clauses(parts)} SELECT 1 / (SELECT count(*) FROM held) AS held${columns}`;

const DIVISION_BY_ZERO = "22012";

/** Whether an error says that the condition of an `onlyWhere` did not hold. */
export const wasUndone = (error: unknown): boolean =>
  error instanceof DbError && error.sqlstate === DIVISION_BY_ZERO;
