import { Sql, sql } from "./sql.js";

/** A row's values by column. */
type Row = Readonly<Record<string, unknown>>;

/**
 * A named part of a WITH clause that writes one table; the parts of one statement see the same snapshot.
 * CockroachDB refuses a statement that changes a table in two parts, and PostgreSQL does not say which of two
 * changes of a row counts: what has to be changed twice takes two statements.
 */
export interface Part {
  readonly name: string;
  readonly body: Sql;
}

/** `a = $1, b = $2`, in the record's order, so that the text stays the same and stays prepared. */
export const assignments = (values: Row): Sql =>
  sql.join(Object.entries(values).map(([column, value]) => sql`${sql.ref(column)} = ${value}`));

const columnList = (columns: readonly string[]): Sql => sql.join(columns.map((column) => sql.ref(column)));

/** `INSERT INTO t (…) VALUES (…), (…)`; all rows must have the same columns in the same order. */
export function insertInto(table: Sql, rows: readonly Row[]): Sql {
  const columns = Object.keys(rows[0] ?? {});
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
  return sql`INSERT INTO ${table} (${columnList(columns)}) VALUES ${sql.join(values)}`;
}

/**
 * @param before  what the statement changes besides
 * @throws Error when a table is changed twice, or a part changes none
 */
function clauses(parts: readonly Part[], before?: Sql): Sql {
  const changed = new Set(before === undefined ? [] : [before]);
  return sql.join(
    parts.map(({ name, body }) => {
      const table = body.changes;
      if (table === undefined || changed.has(table))
        throw new Error(`part ${name} of a statement must change a table that no other part changes`);
      changed.add(table);
      return sql`${sql.ref(name)} AS (${body} RETURNING 1)`;
    }),
  );
}

/** One statement out of writing parts: a round trip instead of one for each. */
export const allTogether = (parts: readonly Part[]): Sql => sql`WITH ${clauses(parts)} SELECT 1`;

/** A part that can be made to write only where the condition of an `onlyWhere` gives a row. */
export interface ConditionalPart extends Part {
  readonly ifHeld: Sql;
}

/** @param body  ends with its WHERE clause, whose conditions are joined by AND */
export const changing = (name: string, body: Sql): ConditionalPart => ({
  name,
  body,
  get ifHeld() {
    return sql`${body} AND EXISTS (SELECT 1 FROM held)`;
  },
});

/** As `insertInto`. @param tail  what follows the values, ON CONFLICT say */
export const inserting = (
  name: string,
  table: Sql,
  rows: readonly Row[],
  tail: Sql = sql``,
): ConditionalPart => ({
  name,
  get body() {
    return sql`${insertInto(table, rows)}${tail}`;
  },
  get ifHeld() {
    return sql`${insertIfHeld(table, rows)}${tail}`;
  },
});

/**
 * Values of several rows have to say their types here, since a SELECT over them does not look at the table's:
 * a column that is null in all rows cannot, and is left to its default.
 */
function insertIfHeld(table: Sql, rows: readonly Row[]): Sql {
  const [first = {}, ...others] = rows;
  if (others.length === 0)
    return sql`INSERT INTO ${table} (${columnList(Object.keys(first))}) SELECT ${sql.join(Object.values(first))} FROM held`;
  const columns = Object.keys(first).filter((column) => rows.some((row) => row[column] !== null));
  const types = columns.map((column) => typeOf(rows.find((row) => row[column] !== null)?.[column]));
  const values = rows.map(
    (row) => sql`(${sql.join(columns.map((column, index) => sql`${row[column]}${types[index]}`))})`,
  );
  return sql`INSERT INTO ${table} (${columnList(columns)}) SELECT told.* FROM held, (VALUES ${sql.join(values)}) AS told`;
}

/** How values are stored, by their kind, see `platform/db`. */
const TYPES: Readonly<Partial<Record<string, Sql>>> = {
  string: sql`::text`,
  number: sql`::int8`,
  boolean: sql`::bool`,
  bigint: sql`::timestamptz`,
};
const BYTES = sql`::bytea`;
const SAYS_ITSELF = sql``;

/** The type of a value; what is `sql` says it itself. @throws Error for other objects */
function typeOf(value: unknown): Sql {
  if (value instanceof Sql) return SAYS_ITSELF;
  const type = Buffer.isBuffer(value) ? BYTES : TYPES[typeof value];
  if (type === undefined)
    throw new Error(`rows under a condition cannot hold a value of type ${typeof value}`);
  return type;
}

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
  const conditional = parts.map(({ name, ifHeld }) => ({ name, body: ifHeld }));
  return sql<R>`WITH held AS (${condition}), ${clauses(conditional, condition.changes)} SELECT 1 AS held${columns} FROM held`;
}
