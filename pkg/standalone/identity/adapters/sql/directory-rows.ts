import { sql } from "kysely";
import type { Expression, Kysely, RawBuilder, Selectable, SqlBool, Transaction } from "kysely";
import { sqlJson } from "../../../../platform/db/index.js";
import type {
  Annotated,
  DirectoryFilter,
  Json,
  Project,
  ProjectRef,
  User,
  UserRef,
} from "../../domain/model.js";
import { E } from "../../errors.js";
import type { IdentityTables } from "./tables.js";

type Db = Kysely<IdentityTables>;
type Tx = Transaction<IdentityTables>;

/** Options and extras as values of their columns. */
export const annotationsOf = ({ options, extra }: Annotated) => ({
  options: sqlJson(options),
  extra: sqlJson(extra),
});

const tables = {
  domain: "identity_domain",
  project: "identity_project",
  user: "identity_user",
  role: "identity_role",
} as const;

/**
 * Looks whether a thing may be changed or, without a patch, deleted.
 * @returns its options and extras after the change
 * @throws NOT_FOUND, IMMUTABLE_RESOURCE unless the patch itself takes the option away
 */
export async function changeable(
  tx: Tx,
  what: keyof typeof tables,
  id: string,
  patch: { readonly [K in keyof Annotated]?: Json | undefined } = {},
) {
  const row = await tx
    .selectFrom(tables[what])
    .select(["options", "extra"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (!row) throw E.NOT_FOUND({ what, id });
  const options = merged(row.options, patch.options);
  if (row.options["immutable"] === true && (patch.options === undefined || options["immutable"] === true))
    throw E.IMMUTABLE_RESOURCE({ what, id });
  return annotationsOf({ options, extra: merged(row.extra, patch.extra) });
}

const merged = (before: Json, patch: Json = {}): Json =>
  Object.fromEntries(Object.entries({ ...before, ...patch }).filter(([, value]) => value !== null));

/** One tag filter of a list of projects. */
export function tagCondition({
  names,
  all,
  not,
}: NonNullable<DirectoryFilter["tags"]>[number]): RawBuilder<SqlBool> {
  const has = names.map((name) => sql<SqlBool>`${name} = any(${sql.ref("tags")})`);
  const joined = sql<SqlBool>`(${sql.join(has, all ? sql` and ` : sql` or `)})`;
  return not ? sql<SqlBool>`not ${joined}` : joined;
}

type FilterColumn = "id" | "name" | "domain_id" | "parent_id" | "enabled";

/** The condition of a filter on the columns that the table has. */
export function matches(filter: DirectoryFilter, columns: readonly FilterColumn[]): Expression<SqlBool> {
  const wanted: Readonly<Record<FilterColumn, string | boolean | undefined>> = {
    id: filter.id,
    name: filter.name,
    domain_id: filter.domainId,
    parent_id: filter.parentId,
    enabled: filter.enabled,
  };
  const conditions = columns.flatMap((column) => {
    const value = wanted[column];
    return value === undefined ? [] : [sql`${sql.ref(column)} = ${value}`];
  });
  return conditions.length === 0 ? sql<SqlBool>`true` : sql<SqlBool>`(${sql.join(conditions, sql` AND `)})`;
}

export const selectProject = (tx: Db, ref: ProjectRef) => {
  const query = tx.selectFrom("identity_project").selectAll("identity_project");
  if ("id" in ref) return query.where("identity_project.id", "=", ref.id).executeTakeFirst();
  return query
    .innerJoin("identity_domain as home", "home.id", "identity_project.domain_id")
    .where("identity_project.name", "=", ref.name)
    .where(
      "id" in ref.domain ? "home.id" : "home.name",
      "=",
      "id" in ref.domain ? ref.domain.id : ref.domain.name,
    )
    .executeTakeFirst();
};

export const selectAccount = (tx: Db, ref: UserRef) => {
  const query = tx
    .selectFrom("identity_user")
    .innerJoin("identity_domain as home", "home.id", "identity_user.domain_id")
    .selectAll("identity_user")
    .select("home.enabled as domain_enabled");
  if ("id" in ref) return query.where("identity_user.id", "=", ref.id).executeTakeFirst();
  return query
    .where("identity_user.name", "=", ref.name)
    .where(
      "id" in ref.domain ? "home.id" : "home.name",
      "=",
      "id" in ref.domain ? ref.domain.id : ref.domain.name,
    )
    .executeTakeFirst();
};

export const endTokensOf = (tx: Tx, userId: string) =>
  tx.deleteFrom("identity_token").where("user_id", "=", userId).execute();

export function toProject(row: Selectable<IdentityTables["identity_project"]>): Project {
  const { domain_id: domainId, parent_id: parentId, ...rest } = row;
  return { ...rest, domainId, parentId };
}

export const toUser = (row: Selectable<IdentityTables["identity_user"]>): User => ({
  id: row.id,
  name: row.name,
  domainId: row.domain_id,
  enabled: row.enabled,
  description: row.description,
  email: row.email,
  defaultProjectId: row.default_project_id,
  options: row.options,
  extra: row.extra,
});

/** The fields that are given; `undefined` would otherwise be written. */
export function defined<T extends Record<string, unknown>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
