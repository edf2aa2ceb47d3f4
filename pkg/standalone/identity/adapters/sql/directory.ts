import type { ExpressionBuilder, Kysely, Selectable, SqlBool, Expression, Transaction } from "kysely";
import type { Ctx } from "../../../../kernel/index.js";
import { violates } from "../../../../platform/db/index.js";
import type { Database } from "../../../../platform/db/index.js";
import type { Domain, DomainRef, Project, ProjectRef, Role, User, UserRef } from "../../domain/model.js";
import { E } from "../../errors.js";
import type { IdentityTables } from "./tables.js";

/** Filters of lists; absent ones match everything. */
export interface DirectoryFilter {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly domainId?: string | undefined;
  readonly parentId?: string | undefined;
  readonly enabled?: boolean | undefined;
}

/** A user with what proves its identity. */
export interface Account extends User { readonly passwordHash: string | null; readonly domainEnabled: boolean }

type Patch<T> = { readonly [K in Exclude<keyof T, "id">]?: T[K] | undefined };

/** Domains, projects, users and roles: who and what exists. Names are unique: domains and roles everywhere, the rest in their domain. */
export interface Directory {
  domains(ctx: Ctx, filter: DirectoryFilter): Promise<Domain[]>;
  domain(ctx: Ctx, ref: DomainRef): Promise<Domain | undefined>;
  insertDomain(ctx: Ctx, domain: Domain): Promise<void>;
  /** Disabling ends the domain's tokens. @throws NOT_FOUND, DUPLICATE */
  updateDomain(ctx: Ctx, id: string, patch: Patch<Domain>): Promise<Domain>;
  /** With all in it. @throws DOMAIN_ENABLED, NOT_FOUND */
  deleteDomain(ctx: Ctx, id: string): Promise<void>;

  projects(ctx: Ctx, filter: DirectoryFilter): Promise<Project[]>;
  project(ctx: Ctx, ref: ProjectRef): Promise<Project | undefined>;
  insertProject(ctx: Ctx, project: Project): Promise<void>;
  updateProject(ctx: Ctx, id: string, patch: Patch<Project>): Promise<Project>;
  /** With its assignments and tokens. */
  deleteProject(ctx: Ctx, id: string): Promise<void>;

  users(ctx: Ctx, filter: DirectoryFilter): Promise<User[]>;
  user(ctx: Ctx, id: string): Promise<User | undefined>;
  account(ctx: Ctx, ref: UserRef): Promise<Account | undefined>;
  insertUser(ctx: Ctx, user: User, passwordHash: string | null): Promise<void>;
  /** A new password and disabling end the user's tokens. */
  updateUser(ctx: Ctx, id: string, patch: Patch<User>, passwordHash?: string): Promise<User>;
  deleteUser(ctx: Ctx, id: string): Promise<void>;

  roles(ctx: Ctx, filter: DirectoryFilter): Promise<Role[]>;
  insertRole(ctx: Ctx, role: Role): Promise<void>;
  updateRole(ctx: Ctx, id: string, patch: Patch<Role>): Promise<Role>;
  deleteRole(ctx: Ctx, id: string): Promise<void>;
}

type Db = Kysely<IdentityTables>;

export function directory(db: Database<IdentityTables>): Directory {
  const del = (ctx: Ctx, table: "identity_project" | "identity_user" | "identity_role", what: string, id: string): Promise<void> =>
    db.statement(ctx, `identity.${what}.delete`, async (tx) => {
      const { numDeletedRows } = await tx.deleteFrom(table).where("id", "=", id).executeTakeFirstOrThrow();
      if (numDeletedRows === 0n) throw E.NOT_FOUND({ what, id });
    });
  return {
    domains: (ctx, filter) => db.statement(ctx, "identity.domains", (tx) =>
      tx.selectFrom("identity_domain").selectAll().where(matches(filter, ["id", "name", "enabled"])).orderBy("name").execute()),
    domain: (ctx, ref) => db.statement(ctx, "identity.domain", (tx) =>
      tx.selectFrom("identity_domain").selectAll().where("id" in ref ? "id" : "name", "=", "id" in ref ? ref.id : ref.name).executeTakeFirst()),
    insertDomain: (ctx, domain) => storing("domain", domain.name, () =>
      db.statement(ctx, "identity.domain.insert", async (tx) => { await tx.insertInto("identity_domain").values(domain).execute(); })),
    updateDomain: (ctx, id, patch) => storing("domain", patch.name ?? "", () => db.write(ctx, "identity.domain.update", async (tx) => {
      const set = defined({ name: patch.name, enabled: patch.enabled, description: patch.description });
      const row = await tx.updateTable("identity_domain").set({ id, ...set }).where("id", "=", id).returningAll().executeTakeFirst();
      if (!row) throw E.NOT_FOUND({ what: "domain", id });
      return row;
    })),
    deleteDomain: (ctx, id) => db.write(ctx, "identity.domain.delete", async (tx) => {
      const row = await tx.selectFrom("identity_domain").select("enabled").where("id", "=", id).executeTakeFirst();
      if (!row) throw E.NOT_FOUND({ what: "domain", id });
      if (row.enabled) throw E.DOMAIN_ENABLED({});
      await tx.deleteFrom("identity_domain").where("id", "=", id).execute();
    }),

    projects: async (ctx, filter) => (await db.statement(ctx, "identity.projects", (tx) =>
      tx.selectFrom("identity_project").selectAll().where(matches(filter, ["id", "name", "domain_id", "parent_id", "enabled"])).orderBy("name").execute())).map(toProject),
    project: async (ctx, ref) => {
      const row = await db.statement(ctx, "identity.project", (tx) => selectProject(tx, ref));
      return row && toProject(row);
    },
    insertProject: (ctx, project) => storing("project", project.name, () => db.statement(ctx, "identity.project.insert", async (tx) => {
      const { domainId, parentId, tags, ...rest } = project;
      await tx.insertInto("identity_project").values({ ...rest, tags: [...tags], domain_id: domainId, parent_id: parentId }).execute();
    })),
    updateProject: (ctx, id, patch) => storing("project", patch.name ?? "", () => db.write(ctx, "identity.project.update", async (tx) => {
      const set = defined({ name: patch.name, enabled: patch.enabled, description: patch.description, tags: patch.tags && [...patch.tags] });
      const row = await tx.updateTable("identity_project").set({ id, ...set }).where("id", "=", id).returningAll().executeTakeFirst();
      if (!row) throw E.NOT_FOUND({ what: "project", id });
      if (patch.enabled === false) await tx.deleteFrom("identity_token").where("project_id", "=", id).execute();
      return toProject(row);
    })),
    deleteProject: (ctx, id) => del(ctx, "identity_project", "project", id),

    users: async (ctx, filter) => (await db.statement(ctx, "identity.users", (tx) =>
      tx.selectFrom("identity_user").selectAll().where(matches(filter, ["id", "name", "domain_id", "enabled"])).orderBy("name").execute())).map(toUser),
    user: async (ctx, id) => {
      const row = await db.statement(ctx, "identity.user", (tx) => tx.selectFrom("identity_user").selectAll().where("id", "=", id).executeTakeFirst());
      return row && toUser(row);
    },
    account: async (ctx, ref) => {
      const row = await db.statement(ctx, "identity.account", (tx) => selectAccount(tx, ref));
      return row && { ...toUser(row), passwordHash: row.password_hash, domainEnabled: row.domain_enabled };
    },
    insertUser: (ctx, user, passwordHash) => storing("user", user.name, () => db.statement(ctx, "identity.user.insert", async (tx) => {
      const { domainId, defaultProjectId, ...rest } = user;
      await tx.insertInto("identity_user").values({ ...rest, domain_id: domainId, default_project_id: defaultProjectId, password_hash: passwordHash }).execute();
    })),
    updateUser: (ctx, id, patch, passwordHash) => storing("user", patch.name ?? "", () => db.write(ctx, "identity.user.update", async (tx) => {
      const set = defined({
        name: patch.name, enabled: patch.enabled, description: patch.description, email: patch.email,
        default_project_id: patch.defaultProjectId, password_hash: passwordHash,
      });
      const row = await tx.updateTable("identity_user").set({ id, ...set }).where("id", "=", id).returningAll().executeTakeFirst();
      if (!row) throw E.NOT_FOUND({ what: "user", id });
      if (passwordHash !== undefined || patch.enabled === false) await endTokensOf(tx, id);
      return toUser(row);
    })),
    deleteUser: (ctx, id) => del(ctx, "identity_user", "user", id),

    roles: (ctx, filter) => db.statement(ctx, "identity.roles", (tx) =>
      tx.selectFrom("identity_role").selectAll().where(matches(filter, ["id", "name"])).orderBy("name").execute()),
    insertRole: (ctx, role) => storing("role", role.name, () =>
      db.statement(ctx, "identity.role.insert", async (tx) => { await tx.insertInto("identity_role").values(role).execute(); })),
    updateRole: (ctx, id, patch) => storing("role", patch.name ?? "", () => db.write(ctx, "identity.role.update", async (tx) => {
      const set = defined({ name: patch.name, description: patch.description });
      const row = await tx.updateTable("identity_role").set({ id, ...set }).where("id", "=", id).returningAll().executeTakeFirst();
      if (!row) throw E.NOT_FOUND({ what: "role", id });
      return row;
    })),
    deleteRole: (ctx, id) => del(ctx, "identity_role", "role", id),
  };
}

/** Turns violations of unique names and references into the service's own refusals. */
async function storing<T>(what: string, name: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (violates(error, `identity_${what}_name`)) throw E.DUPLICATE({ what, name }, { cause: error });
    if (violates(error, `identity_${what}_domain`)) throw E.NOT_FOUND({ what: "domain", id: "the given one" }, { cause: error });
    throw error;
  }
}

type FilterColumn = "id" | "name" | "domain_id" | "parent_id" | "enabled";

/** The conditions of a filter on the columns that the table has. */
function matches(filter: DirectoryFilter, columns: readonly FilterColumn[]) {
  const wanted: Readonly<Record<FilterColumn, string | boolean | undefined>> = {
    id: filter.id, name: filter.name, domain_id: filter.domainId, parent_id: filter.parentId, enabled: filter.enabled,
  };
  return <DB, T extends keyof DB>(eb: ExpressionBuilder<DB, T>): Expression<SqlBool> => {
    const dynamic = eb as unknown as ExpressionBuilder<{ row: Record<FilterColumn, string | boolean> }, "row">;
    return dynamic.and(columns.flatMap((column) => {
      const value = wanted[column];
      return value === undefined ? [] : [dynamic(column, "=", value)];
    }));
  };
}

const selectProject = (tx: Db, ref: ProjectRef) => {
  const query = tx.selectFrom("identity_project").selectAll("identity_project");
  if ("id" in ref) return query.where("identity_project.id", "=", ref.id).executeTakeFirst();
  return query.innerJoin("identity_domain as home", "home.id", "identity_project.domain_id").where("identity_project.name", "=", ref.name)
    .where("id" in ref.domain ? "home.id" : "home.name", "=", "id" in ref.domain ? ref.domain.id : ref.domain.name).executeTakeFirst();
};

const selectAccount = (tx: Db, ref: UserRef) => {
  const query = tx.selectFrom("identity_user").innerJoin("identity_domain as home", "home.id", "identity_user.domain_id")
    .selectAll("identity_user").select("home.enabled as domain_enabled");
  if ("id" in ref) return query.where("identity_user.id", "=", ref.id).executeTakeFirst();
  return query.where("identity_user.name", "=", ref.name)
    .where("id" in ref.domain ? "home.id" : "home.name", "=", "id" in ref.domain ? ref.domain.id : ref.domain.name).executeTakeFirst();
};

const endTokensOf = (tx: Transaction<IdentityTables>, userId: string) => tx.deleteFrom("identity_token").where("user_id", "=", userId).execute();

function toProject(row: Selectable<IdentityTables["identity_project"]>): Project {
  const { domain_id: domainId, parent_id: parentId, ...rest } = row;
  return { ...rest, domainId, parentId };
}

const toUser = (row: Selectable<IdentityTables["identity_user"]>): User => ({
  id: row.id, name: row.name, domainId: row.domain_id, enabled: row.enabled, description: row.description,
  email: row.email, defaultProjectId: row.default_project_id,
});

/** The fields that are given; `undefined` would otherwise be written. */
function defined<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
