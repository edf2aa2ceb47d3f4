import { sql } from "kysely";
import type { RawBuilder, SqlBool } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import type { Listing } from "../../domain/listing.js";
import { isAdmin } from "../../domain/policy.js";

/** A project that no token has; stands in when the actor has none. */
const NOBODY = "\u0001";

/** Rows that the actor may see by id: its project's; administrators all. */
export const visible = (actor: Actor, table: string): RawBuilder<SqlBool> =>
  isAdmin(actor)
    ? sql<SqlBool>`true`
    : sql<SqlBool>`${sql.ref(`${table}.project_id`)} = ${actor.projectId || NOBODY}`;

/** Rows that a list shows: its project's, unless an administrator asks for others. */
function listed(actor: Actor, listing: Listing, table: string): RawBuilder<SqlBool> {
  const project = listing.projectId ?? (listing.everywhere ? undefined : actor.projectId || NOBODY);
  return project === undefined
    ? sql<SqlBool>`true`
    : sql<SqlBool>`${sql.ref(`${table}.project_id`)} = ${project}`;
}

/** The conditions of a list. Column names come from the specification, never from the request. */
export const listConditions = (actor: Actor, listing: Listing, table: string): RawBuilder<SqlBool>[] => [
  listed(actor, listing, table),
  ...listing.filters.map(({ column, value }) => sql<SqlBool>`${sql.ref(`${table}.${column}`)} = ${value}`),
  ...Object.entries(listing.metadata).map(
    ([key, value]) => sql<SqlBool>`${sql.ref(`${table}.metadata`)} ->> ${key} = ${value}`,
  ),
];

/** Rows behind the marker. */
export function behind(
  { sort }: Listing,
  table: string,
  marker: Readonly<Record<string, unknown>>,
): RawBuilder<SqlBool> {
  const steps = sort.map(({ column, descending }, at) => {
    const equal = sort
      .slice(0, at)
      .map((earlier) => sql<SqlBool>`${key(table, earlier.column)} = ${marker[earlier.column]}`);
    const next = descending
      ? sql<SqlBool>`${key(table, column)} < ${marker[column]}`
      : sql<SqlBool>`${key(table, column)} > ${marker[column]}`;
    return sql<SqlBool>`(${sql.join([...equal, next], sql` and `)})`;
  });
  return sql<SqlBool>`(${sql.join(steps, sql` or `)})`;
}

export const order = ({ sort }: Listing, table: string): RawBuilder<unknown> =>
  sql.join(
    sort.map(({ column, descending }) =>
      descending ? sql`${key(table, column)} desc` : sql`${key(table, column)} asc`,
    ),
  );

const key = (table: string, column: string): RawBuilder<unknown> => sql`${sql.ref(`${table}.${column}`)}`;
