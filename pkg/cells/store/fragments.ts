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

/** A part that can be made to write only where the condition of an `onlyWhere` gives a row. */
export interface ConditionalPart extends Part {
  readonly ifHeld: readonly Sql[];
}

/** @param body  ends with its WHERE clause, whose conditions are joined by AND */
export const changing = (name: string, body: Sql): ConditionalPart => ({
  name,
  body,
  ifHeld: [sql`${body} AND EXISTS (SELECT 1 FROM held)`],
});

/** As `insertInto`. @param tail  what follows the values, ON CONFLICT say */
export const inserting = (
  name: string,
  table: Sql,
  rows: readonly Readonly<Record<string, unknown>>[],
  tail: Sql = sql``,
): ConditionalPart => ({
  name,
  body: sql`${insertInto(table, rows)}${tail}`,
  // A statement for each row: in a SELECT over several rows the values would lose their columns' types.
  ifHeld: rows.map(
    (row) =>
      sql`INSERT INTO ${table} (${sql.join(Object.keys(row).map((column) => sql.ref(column)))}) SELECT ${sql.join(Object.values(row))} FROM held${tail}`,
  ),
});

/**
 * As `allTogether`, when `condition` gives a row; otherwise nothing is written. It answers one row, or none.
 * @param condition  gives at most one row, which it locks or changes
 * @param columns  what it answers, each with a comma before it; may read from `held`, the condition's row
 */
export function onlyWhere<R = unknown>(
  condition: Sql,
  parts: readonly ConditionalPart[],
  columns: Sql = sql``,
): Sql<R> {
  const conditional = parts.flatMap(({ name, ifHeld }) =>
    ifHeld.map((body, index) => ({ name: `${name}_${index}`, body })),
  );
  return sql<R>`WITH held AS (${condition}), ${clauses(conditional)} SELECT 1 AS held${columns} FROM held`;
}
