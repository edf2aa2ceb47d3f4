import { sql } from "./sql.js";
import type { Sql } from "./sql.js";

/** A named part of a WITH clause that writes; the parts of one statement see the same snapshot. */
export interface Part { readonly name: string; readonly body: Sql }

/** `a = $1, b = $2`, in the record's order, so that the text stays the same and stays prepared. */
export const assignments = (values: Readonly<Record<string, unknown>>): Sql =>
  sql.join(Object.entries(values).map(([column, value]) => sql`${sql.ref(column)} = ${value}`));

/** `INSERT INTO t (…) VALUES (…), (…)`; all rows must have the same columns in the same order. */
export function insertInto(table: Sql, rows: readonly Readonly<Record<string, unknown>>[]): Sql {
  const columns = Object.keys(rows[0] ?? {});
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
  return sql`INSERT INTO ${table} (${sql.join(columns.map((column) => sql.ref(column)))}) VALUES ${sql.join(values)}`;
}

/** One statement out of writing parts: a round trip instead of one for each. */
export function allTogether(parts: readonly Part[]): Sql {
  const clauses = parts.map(({ name, body }) => sql`${sql.ref(name)} AS (${body} RETURNING 1)`);
  return sql`WITH ${sql.join(clauses)} SELECT 1`;
}
