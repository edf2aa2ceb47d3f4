import type { Ctx } from "../../../../kernel/index.js";
import { violates } from "../../../../platform/db/index.js";
import type { Database } from "../../../../platform/db/index.js";
import type {
  DirectoryFilter,
  Domain,
  DomainRef,
  Project,
  ProjectRef,
  Role,
  User,
  UserRef,
} from "../../domain/model.js";
import { E } from "../../errors.js";
import {
  annotationsOf,
  changeable,
  defined,
  endTokensOf,
  matches,
  selectAccount,
  selectProject,
  tagCondition,
  toProject,
  toUser,
} from "./directory-rows.js";
import type { IdentityTables } from "./tables.js";

/** A user with what proves its identity. */
export interface Account extends User {
  readonly passwordHash: string | null;
  readonly domainEnabled: boolean;
}

type Patch<T> = { readonly [K in Exclude<keyof T, "id">]?: T[K] | undefined };

/**
 * Domains, projects, users and roles: who and what exists. Names are unique: domains and roles everywhere,
 * the rest in their domain. What has the option `immutable` is neither changed nor deleted
 * (IMMUTABLE_RESOURCE). Options and extras of a patch join what is there; null takes one away.
 */
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
  /** @param edit  makes the new tags of the old ones; may run again */
  updateTags(
    ctx: Ctx,
    projectId: string,
    edit: (tags: readonly string[]) => readonly string[],
  ): Promise<readonly string[]>;
  /** With its assignments and tokens; users lose it as their default. @throws NOT_A_LEAF */
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

export function directory(db: Database<IdentityTables>): Directory {
  return {
    domains: (ctx, filter) =>
      db.statement(ctx, "identity.domains", (tx) =>
        tx
          .selectFrom("identity_domain")
          .selectAll()
          .where(matches(filter, ["id", "name", "enabled"]))
          .orderBy("name")
          .execute(),
      ),
    domain: (ctx, ref) =>
      db.statement(ctx, "identity.domain", (tx) =>
        tx
          .selectFrom("identity_domain")
          .selectAll()
          .where("id" in ref ? "id" : "name", "=", "id" in ref ? ref.id : ref.name)
          .executeTakeFirst(),
      ),
    insertDomain: (ctx, domain) =>
      storing("domain", domain.name, () =>
        db.statement(ctx, "identity.domain.insert", async (tx) => {
          await tx
            .insertInto("identity_domain")
            .values({ ...domain, ...annotationsOf(domain) })
            .execute();
        }),
      ),
    updateDomain: (ctx, id, patch) =>
      storing("domain", patch.name ?? "", () =>
        db.write(ctx, "identity.domain.update", async (tx) => {
          const annotations = await changeable(tx, "domain", id, patch);
          const set = defined({ name: patch.name, enabled: patch.enabled, description: patch.description });
          return tx
            .updateTable("identity_domain")
            .set({ ...annotations, ...set })
            .where("id", "=", id)
            .returningAll()
            .executeTakeFirstOrThrow();
        }),
      ),
    deleteDomain: (ctx, id) =>
      db.write(ctx, "identity.domain.delete", async (tx) => {
        await changeable(tx, "domain", id);
        const row = await tx
          .selectFrom("identity_domain")
          .select("enabled")
          .where("id", "=", id)
          .executeTakeFirst();
        if (row?.enabled) throw E.DOMAIN_ENABLED({});
        await tx.deleteFrom("identity_domain").where("id", "=", id).execute();
      }),

    projects: async (ctx, filter) =>
      (
        await db.statement(ctx, "identity.projects", (tx) => {
          const query = tx
            .selectFrom("identity_project")
            .selectAll()
            .where(matches(filter, ["id", "name", "domain_id", "parent_id", "enabled"]))
            .orderBy("name");
          return (filter.tags ?? [])
            .reduce((narrowed, wish) => narrowed.where(tagCondition(wish)), query)
            .execute();
        })
      ).map(toProject),
    project: async (ctx, ref) => {
      const row = await db.statement(ctx, "identity.project", (tx) => selectProject(tx, ref));
      return row && toProject(row);
    },
    insertProject: (ctx, project) =>
      storing("project", project.name, () =>
        db.statement(ctx, "identity.project.insert", async (tx) => {
          const { domainId, parentId, tags, ...rest } = project;
          await tx
            .insertInto("identity_project")
            .values({
              ...rest,
              ...annotationsOf(project),
              tags: [...tags],
              domain_id: domainId,
              parent_id: parentId,
            })
            .execute();
        }),
      ),
    updateProject: (ctx, id, patch) =>
      storing("project", patch.name ?? "", () =>
        db.write(ctx, "identity.project.update", async (tx) => {
          const annotations = await changeable(tx, "project", id, patch);
          const set = defined({
            name: patch.name,
            enabled: patch.enabled,
            description: patch.description,
            tags: patch.tags && [...patch.tags],
          });
          const row = await tx
            .updateTable("identity_project")
            .set({ ...annotations, ...set })
            .where("id", "=", id)
            .returningAll()
            .executeTakeFirstOrThrow();
          if (patch.enabled === false)
            await tx.deleteFrom("identity_token").where("project_id", "=", id).execute();
          return toProject(row);
        }),
      ),
    updateTags: (ctx, id, edit) =>
      db.write(ctx, "identity.project.tags", async (tx) => {
        await changeable(tx, "project", id);
        const { tags } = await tx
          .selectFrom("identity_project")
          .select("tags")
          .where("id", "=", id)
          .executeTakeFirstOrThrow();
        const edited = [...new Set(edit(tags))];
        await tx.updateTable("identity_project").set({ tags: edited }).where("id", "=", id).execute();
        return edited;
      }),
    deleteProject: (ctx, id) =>
      db.write(ctx, "identity.project.delete", async (tx) => {
        await changeable(tx, "project", id);
        const child = await tx
          .selectFrom("identity_project")
          .select("id")
          .where("parent_id", "=", id)
          .limit(1)
          .executeTakeFirst();
        if (child) throw E.NOT_A_LEAF({ id });
        await tx
          .updateTable("identity_user")
          .set({ default_project_id: null })
          .where("default_project_id", "=", id)
          .execute();
        await tx.deleteFrom("identity_project").where("id", "=", id).execute();
      }),

    users: async (ctx, filter) =>
      (
        await db.statement(ctx, "identity.users", (tx) =>
          tx
            .selectFrom("identity_user")
            .selectAll()
            .where(matches(filter, ["id", "name", "domain_id", "enabled"]))
            .orderBy("name")
            .execute(),
        )
      ).map(toUser),
    user: async (ctx, id) => {
      const row = await db.statement(ctx, "identity.user", (tx) =>
        tx.selectFrom("identity_user").selectAll().where("id", "=", id).executeTakeFirst(),
      );
      return row && toUser(row);
    },
    account: async (ctx, ref) => {
      const row = await db.statement(ctx, "identity.account", (tx) => selectAccount(tx, ref));
      return row && { ...toUser(row), passwordHash: row.password_hash, domainEnabled: row.domain_enabled };
    },
    insertUser: (ctx, user, passwordHash) =>
      storing("user", user.name, () =>
        db.statement(ctx, "identity.user.insert", async (tx) => {
          const { domainId, defaultProjectId, ...rest } = user;
          await tx
            .insertInto("identity_user")
            .values({
              ...rest,
              ...annotationsOf(user),
              domain_id: domainId,
              default_project_id: defaultProjectId,
              password_hash: passwordHash,
            })
            .execute();
        }),
      ),
    updateUser: (ctx, id, patch, passwordHash) =>
      storing("user", patch.name ?? "", () =>
        db.write(ctx, "identity.user.update", async (tx) => {
          const annotations = await changeable(tx, "user", id, patch);
          const set = defined({
            name: patch.name,
            enabled: patch.enabled,
            description: patch.description,
            email: patch.email,
            default_project_id: patch.defaultProjectId,
            password_hash: passwordHash,
          });
          const row = await tx
            .updateTable("identity_user")
            .set({ ...annotations, ...set })
            .where("id", "=", id)
            .returningAll()
            .executeTakeFirstOrThrow();
          if (passwordHash !== undefined || patch.enabled === false) await endTokensOf(tx, id);
          return toUser(row);
        }),
      ),
    deleteUser: (ctx, id) =>
      db.write(ctx, "identity.user.delete", async (tx) => {
        await changeable(tx, "user", id);
        await tx.deleteFrom("identity_user").where("id", "=", id).execute();
      }),

    roles: (ctx, filter) =>
      db.statement(ctx, "identity.roles", (tx) =>
        tx
          .selectFrom("identity_role")
          .selectAll()
          .where(matches(filter, ["id", "name"]))
          .orderBy("name")
          .execute(),
      ),
    insertRole: (ctx, role) =>
      storing("role", role.name, () =>
        db.statement(ctx, "identity.role.insert", async (tx) => {
          await tx
            .insertInto("identity_role")
            .values({ ...role, ...annotationsOf(role) })
            .execute();
        }),
      ),
    updateRole: (ctx, id, patch) =>
      storing("role", patch.name ?? "", () =>
        db.write(ctx, "identity.role.update", async (tx) => {
          const annotations = await changeable(tx, "role", id, patch);
          const set = defined({ name: patch.name, description: patch.description });
          return tx
            .updateTable("identity_role")
            .set({ ...annotations, ...set })
            .where("id", "=", id)
            .returningAll()
            .executeTakeFirstOrThrow();
        }),
      ),
    deleteRole: (ctx, id) =>
      db.write(ctx, "identity.role.delete", async (tx) => {
        await changeable(tx, "role", id);
        await tx.deleteFrom("identity_role").where("id", "=", id).execute();
      }),
  };
}

/** Turns violations of unique names and references into the service's own refusals. */
async function storing<T>(what: string, name: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (violates(error, `identity_${what}_name`)) throw E.DUPLICATE({ what, name }, { cause: error });
    if (violates(error, `identity_${what}_domain`))
      throw E.NOT_FOUND({ what: "domain", id: "the given one" }, { cause: error });
    throw error;
  }
}
