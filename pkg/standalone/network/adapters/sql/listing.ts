import { sql } from "kysely";
import type { RawBuilder, SqlBool } from "kysely";
import type { Listing } from "../../domain/listing.js";

/**
 * The conditions of a list on columns of its (only) table, and of its page. Column names come from the
 * resource's own specification, never from the request.
 * @param marker  the marker's row
 */
export function listingConditions(
  listing: Listing,
  marker: Readonly<Record<string, unknown>> | undefined,
): RawBuilder<SqlBool>[] {
  return [
    ...listing.filters.map(({ column, values }) => sql<SqlBool>`${sql.ref(column)} in (${sql.join(values)})`),
    ...listing.tags.map(tagCondition),
    ...(marker === undefined ? [] : [behind(listing, marker)]),
  ];
}

function tagCondition({ names, all, not }: Listing["tags"][number]): RawBuilder<SqlBool> {
  const has = names.map((name) => sql<SqlBool>`${name} = any(${sql.ref("tags")})`);
  const joined = sql<SqlBool>`(${sql.join(has, all ? sql` and ` : sql` or `)})`;
  return not ? sql<SqlBool>`not ${joined}` : joined;
}

/**
 * Keyset paging over columns with directions of their own; the last column is the id, so the order is total.
 */
function behind({ sort, reverse }: Listing, marker: Readonly<Record<string, unknown>>): RawBuilder<SqlBool> {
  const steps = sort.map(({ column, descending }, at) => {
    const equal = sort
      .slice(0, at)
      .map((earlier) => sql<SqlBool>`${sql.ref(earlier.column)} = ${marker[earlier.column]}`);
    const next =
      descending === reverse
        ? sql<SqlBool>`${sql.ref(column)} > ${marker[column]}`
        : sql<SqlBool>`${sql.ref(column)} < ${marker[column]}`;
    return sql<SqlBool>`(${sql.join([...equal, next], sql` and `)})`;
  });
  return sql<SqlBool>`(${sql.join(steps, sql` or `)})`;
}

/** The order of a list as SQL, turned around for the page before the marker. */
export const listingOrder = ({ sort, reverse }: Listing): RawBuilder<unknown> =>
  sql.join(
    sort.map(({ column, descending }) =>
      descending === reverse ? sql`${sql.ref(column)} asc` : sql`${sql.ref(column)} desc`,
    ),
  );

/** Rows as the client expects them, whichever way they were read. */
export const inOrder = <T>(listing: Listing, rows: readonly T[]): T[] =>
  listing.reverse ? [...rows].reverse() : [...rows];

/** A column of text that lists are filtered and sorted by. */
export const textColumn = (column: string) => ({ column, kind: "text" }) as const;

/** The columns of `Standard`. */
export const standardColumns = {
  id: textColumn("id"),
  name: textColumn("name"),
  description: textColumn("description"),
  project_id: textColumn("project_id"),
  tenant_id: textColumn("project_id"),
};
