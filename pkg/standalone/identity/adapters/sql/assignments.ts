import type { Ctx } from "../../../../kernel/index.js";
import { violates } from "../../../../platform/db/index.js";
import type { Database } from "../../../../platform/db/index.js";
import type { Assignment, Domain, Project, Role, Scope } from "../../domain/model.js";
import { E } from "../../errors.js";
import type { IdentityTables } from "./tables.js";
import { effectiveRoles, targetOf } from "./tokens.js";
import type { GrantedRole } from "./tokens.js";

/** Which assignments to list. */
export interface AssignmentFilter {
  readonly userId?: string | undefined;
  readonly roleId?: string | undefined;
  readonly scope?: Scope | undefined;
}

/** An assignment with the names that `include_names` shows. */
export interface NamedAssignment extends Assignment {
  readonly userName: string;
  readonly userDomainId: string;
  readonly userDomainName: string;
  readonly roleName: string;
  readonly projectName: string | null;
  readonly projectDomainId: string | null;
  readonly projectDomainName: string | null;
  readonly domainName: string | null;
}

/** Who has which role where. Implied roles are worked out on reading, so a change counts at once. */
export interface Assignments {
  /** Repeatable. @throws NOT_FOUND when user, role or target do not exist */
  grant(ctx: Ctx, assignment: Assignment): Promise<void>;
  /** @throws NOT_FOUND when there is no such assignment */
  revoke(ctx: Ctx, assignment: Assignment): Promise<void>;
  /** Roles given directly. */
  direct(ctx: Ctx, userId: string, scope: Scope): Promise<Role[]>;
  /** Roles given directly or implied. */
  effective(ctx: Ctx, userId: string, scope: Scope): Promise<GrantedRole[]>;
  list(ctx: Ctx, filter: AssignmentFilter): Promise<NamedAssignment[]>;
  /** Enabled projects and domains in which the user has any role, and whether it has one on the system. */
  reach(ctx: Ctx, userId: string): Promise<{ projects: Project[]; domains: Domain[]; system: boolean }>;
  /** Says that the first role contains the second; repeatable. */
  imply(ctx: Ctx, priorRoleId: string, impliedRoleId: string): Promise<void>;
  /** @throws NOT_FOUND when there is no such rule */
  unimply(ctx: Ctx, priorRoleId: string, impliedRoleId: string): Promise<void>;
  implications(ctx: Ctx): Promise<readonly (readonly [prior: string, implied: string])[]>;
}

export function assignments(db: Database<IdentityTables>): Assignments {
  return {
    grant: async (ctx, { userId, roleId, scope }) => {
      try {
        await db.statement(ctx, "identity.assignment.grant", (tx) =>
          tx
            .insertInto("identity_assignment")
            .values({
              user_id: userId,
              role_id: roleId,
              target: targetOf(scope),
              project_id: scope.kind === "project" ? scope.projectId : null,
              domain_id: scope.kind === "domain" ? scope.domainId : null,
            })
            .onConflict((oc) => oc.columns(["user_id", "target", "role_id"]).doNothing())
            .execute(),
        );
      } catch (error) {
        if (violates(error, "identity_assignment_user"))
          throw E.NOT_FOUND({ what: "user", id: userId }, { cause: error });
        if (violates(error, "identity_assignment_role"))
          throw E.NOT_FOUND({ what: "role", id: roleId }, { cause: error });
        if (violates(error, "identity_assignment_project") || violates(error, "identity_assignment_domain")) {
          throw E.NOT_FOUND({ what: scope.kind, id: targetOf(scope).split(":")[1] ?? "" }, { cause: error });
        }
        throw error;
      }
    },
    revoke: (ctx, { userId, roleId, scope }) =>
      db.statement(ctx, "identity.assignment.revoke", async (tx) => {
        const gone = await tx
          .deleteFrom("identity_assignment")
          .where("user_id", "=", userId)
          .where("role_id", "=", roleId)
          .where("target", "=", targetOf(scope))
          .executeTakeFirstOrThrow();
        if (gone.numDeletedRows === 0n) throw E.NOT_FOUND({ what: "role assignment", id: roleId });
      }),
    direct: (ctx, userId, scope) =>
      db.statement(ctx, "identity.assignment.direct", (tx) =>
        tx
          .selectFrom("identity_assignment as a")
          .innerJoin("identity_role as role", "role.id", "a.role_id")
          .where("a.user_id", "=", userId)
          .where("a.target", "=", targetOf(scope))
          .selectAll("role")
          .orderBy("role.name")
          .execute(),
      ),
    effective: (ctx, userId, scope) =>
      db.statement(ctx, "identity.assignment.effective", (tx) => effectiveRoles(tx, userId, targetOf(scope))),
    list: (ctx, filter) => listAssignments(db, ctx, filter),
    reach: (ctx, userId) =>
      db.read(ctx, "identity.assignment.reach", async (tx) => {
        const held = await tx
          .selectFrom("identity_assignment")
          .where("user_id", "=", userId)
          .select(["target", "project_id", "domain_id"])
          .distinct()
          .execute();
        const ids = (column: "project_id" | "domain_id"): string[] =>
          held.flatMap((row) => row[column] ?? []);
        const projects = await tx
          .selectFrom("identity_project")
          .selectAll()
          .where("id", "in", ["", ...ids("project_id")])
          .where("enabled", "=", true)
          .orderBy("name")
          .execute();
        const domains = await tx
          .selectFrom("identity_domain")
          .selectAll()
          .where("id", "in", ["", ...ids("domain_id")])
          .where("enabled", "=", true)
          .orderBy("name")
          .execute();
        return {
          projects: projects.map(({ domain_id: domainId, parent_id: parentId, ...rest }) => ({
            ...rest,
            domainId,
            parentId,
          })),
          domains,
          system: held.some((row) => row.target === "system"),
        };
      }),
    imply: async (ctx, prior, implied) => {
      await db.statement(ctx, "identity.role.imply", (tx) =>
        tx
          .insertInto("identity_implied_role")
          .values({ prior_role_id: prior, implied_role_id: implied })
          .onConflict((oc) => oc.doNothing())
          .execute(),
      );
    },
    unimply: (ctx, prior, implied) =>
      db.statement(ctx, "identity.role.unimply", async (tx) => {
        const gone = await tx
          .deleteFrom("identity_implied_role")
          .where("prior_role_id", "=", prior)
          .where("implied_role_id", "=", implied)
          .executeTakeFirstOrThrow();
        if (gone.numDeletedRows === 0n) throw E.NOT_FOUND({ what: "implied role", id: implied });
      }),
    implications: async (ctx) =>
      (
        await db.statement(ctx, "identity.role.implications", (tx) =>
          tx.selectFrom("identity_implied_role").selectAll().execute(),
        )
      ).map((row) => [row.prior_role_id, row.implied_role_id] as const),
  };
}

async function listAssignments(
  db: Database<IdentityTables>,
  ctx: Ctx,
  filter: AssignmentFilter,
): Promise<NamedAssignment[]> {
  const rows = await db.statement(ctx, "identity.assignment.list", (tx) => {
    let query = tx
      .selectFrom("identity_assignment as a")
      .innerJoin("identity_user as user", "user.id", "a.user_id")
      .innerJoin("identity_domain as home", "home.id", "user.domain_id")
      .innerJoin("identity_role as role", "role.id", "a.role_id")
      .leftJoin("identity_project as project", "project.id", "a.project_id")
      .leftJoin("identity_domain as project_home", "project_home.id", "project.domain_id")
      .leftJoin("identity_domain as domain", "domain.id", "a.domain_id")
      .select([
        "a.user_id",
        "a.role_id",
        "a.project_id",
        "a.domain_id",
        "user.name as user_name",
        "home.id as home_id",
        "home.name as home_name",
        "role.name as role_name",
        "project.name as project_name",
        "project_home.id as project_home_id",
        "project_home.name as project_home_name",
        "domain.name as domain_name",
      ])
      .orderBy("user.name")
      .orderBy("a.target")
      .orderBy("role.name");
    if (filter.userId !== undefined) query = query.where("a.user_id", "=", filter.userId);
    if (filter.roleId !== undefined) query = query.where("a.role_id", "=", filter.roleId);
    if (filter.scope !== undefined) query = query.where("a.target", "=", targetOf(filter.scope));
    return query.execute();
  });
  return rows.map((row) => ({
    userId: row.user_id,
    roleId: row.role_id,
    scope:
      row.project_id !== null
        ? { kind: "project", projectId: row.project_id }
        : row.domain_id !== null
          ? { kind: "domain", domainId: row.domain_id }
          : { kind: "system" },
    userName: row.user_name,
    userDomainId: row.home_id,
    userDomainName: row.home_name,
    roleName: row.role_name,
    projectName: row.project_name,
    projectDomainId: row.project_home_id,
    projectDomainName: row.project_home_name,
    domainName: row.domain_name,
  }));
}
