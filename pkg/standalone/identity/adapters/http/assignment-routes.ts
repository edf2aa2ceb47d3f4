import { Router } from "express";
import type { Request } from "express";
import type { Ctx } from "../../../../kernel/index.js";
import { lastOf, pathOf, queryOf } from "../../../../platform/http/index.js";
import type { Query } from "../../../../platform/http/index.js";
import { descendantsOf } from "../../domain/hierarchy.js";
import type { Assignment, Role, Scope } from "../../domain/model.js";
import { administers, isDomainAdmin } from "../../domain/policy.js";
import { listJson, roleJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import type { NamedAssignment } from "../sql/assignments.js";
import { baseOf, demand, demandCommon, reply, selfUrl } from "./common.js";
import { demandGrant, demandPlace } from "./domain-limits.js";
import { existing } from "./user-routes.js";

/** Where grants hang below: the path and how to read its scope. */
const places: readonly { readonly prefix: string; readonly scopeOf: (req: Request) => Scope }[] = [
  {
    prefix: "/v3/projects/:target",
    scopeOf: (req) => ({ kind: "project", projectId: pathOf(req, "target") }),
  },
  { prefix: "/v3/domains/:target", scopeOf: (req) => ({ kind: "domain", domainId: pathOf(req, "target") }) },
  { prefix: "/v3/system", scopeOf: () => ({ kind: "system" }) },
];

export function assignmentRoutes(parts: IdentityParts): Router {
  const { assignments } = parts;
  const router = Router();
  for (const { prefix, scopeOf } of places) {
    /** The assignment of the path, if the actor may give and take it. @throws FORBIDDEN */
    const changeable = async (ctx: Ctx, req: Request, action: string): Promise<Assignment> => {
      if (!isDomainAdmin(ctx.actor)) demand(ctx, { do: "write" }, action);
      const wish = { userId: pathOf(req, "user"), roleId: pathOf(req, "role"), scope: scopeOf(req) };
      await demandGrant(parts, ctx, wish, action);
      return wish;
    };
    const one = `${prefix}/users/:user/roles/:role`;
    router.get(
      `${prefix}/users/:user/roles`,
      reply(async (ctx, req) => {
        const userId = pathOf(req, "user");
        demandCommon(ctx, "identity:list_grants");
        await demandPlace(parts, ctx, { userId, scope: scopeOf(req) }, "identity:list_grants");
        const roles = await assignments.direct(ctx, (await existing(parts, ctx, userId)).id, scopeOf(req));
        return listJson(
          "roles",
          roles.map((role) => roleJson(baseOf(req), role)),
          selfUrl(req, baseOf(req)),
        );
      }),
    );
    router.put(
      one,
      reply(async (ctx, req) => {
        await assignments.grant(ctx, await changeable(ctx, req, "identity:create_grant"));
      }),
    );
    // Express answers HEAD from GET.
    router.get(
      one,
      reply(async (ctx, req) => {
        const userId = pathOf(req, "user");
        demandCommon(ctx, "identity:check_grant");
        await demandPlace(parts, ctx, { userId, scope: scopeOf(req) }, "identity:check_grant");
        const held = await assignments.direct(ctx, userId, scopeOf(req));
        if (!held.some((role) => role.id === pathOf(req, "role")))
          throw E.NOT_FOUND({ what: "role assignment", id: pathOf(req, "role") });
      }),
    );
    router.delete(
      one,
      reply(async (ctx, req) => {
        await assignments.revoke(ctx, await changeable(ctx, req, "identity:revoke_grant"));
      }),
    );
  }
  router.get(
    "/v3/role_assignments",
    reply(async (ctx, req) => {
      const query = queryOf(req);
      const userId = lastOf(query, "user.id");
      const isOwn = userId !== undefined && userId === ctx.actor.userId;
      const isLimited = isDomainAdmin(ctx.actor) && !isOwn;
      if (!isLimited)
        demand(ctx, isOwn ? { do: "read-own", userId } : { do: "read" }, "identity:list_role_assignments");
      const all = lastOf(query, "group.id") !== undefined ? [] : await listAssignments(parts, ctx, query);
      const found = isLimited ? all.filter((entry) => administers(ctx.actor, domainOf(entry))) : all;
      const names = isOn(query, "include_names");
      return listJson(
        "role_assignments",
        found.map((entry) => assignmentJson(baseOf(req), entry, names)),
        selfUrl(req, baseOf(req)),
      );
    }),
  );
  return router;
}

/** The domain that an assignment is for or in. */
const domainOf = ({ scope, projectDomainId }: NamedAssignment): string | undefined =>
  scope.kind === "domain" ? scope.domainId : (projectDomainId ?? undefined);

/** `?effective`, `?effective=1` and `?effective=true` alike; 0 and false are off. */
const isOn = (query: Query, name: string): boolean => {
  const value = lastOf(query, name);
  return value !== undefined && !["0", "false"].includes(value.toLowerCase());
};

async function listAssignments(
  { assignments, directory }: IdentityParts,
  ctx: Ctx,
  query: Query,
): Promise<NamedAssignment[]> {
  const projectId = lastOf(query, "scope.project.id");
  const domainId = lastOf(query, "scope.domain.id");
  const scope: Scope | undefined =
    projectId !== undefined
      ? { kind: "project", projectId }
      : domainId !== undefined
        ? { kind: "domain", domainId }
        : query.has("scope.system")
          ? { kind: "system" }
          : undefined;
  const roleId = lastOf(query, "role.id");
  const effective = isOn(query, "effective");
  const filter = { userId: lastOf(query, "user.id"), roleId: effective ? undefined : roleId };
  const scopes = isOn(query, "include_subtree") ? await subtree(directory, ctx, projectId) : [scope];
  const direct: NamedAssignment[] = [];
  for (const one of scopes) direct.push(...(await assignments.list(ctx, { ...filter, scope: one })));
  if (!effective) return direct;
  const roles = new Map((await directory.roles(ctx, {})).map((role) => [role.id, role]));
  return withImplied(direct, roles, await assignments.implications(ctx)).filter(
    (entry) => roleId === undefined || entry.roleId === roleId,
  );
}

/** A project and all below it. @throws INVALID without a project, NOT_FOUND */
async function subtree(
  directory: IdentityParts["directory"],
  ctx: Ctx,
  projectId: string | undefined,
): Promise<Scope[]> {
  if (projectId === undefined)
    throw E.INVALID({ problem: "scope.project.id must be specified if include_subtree is also specified" });
  const project = await directory.project(ctx, { id: projectId });
  if (!project) throw E.NOT_FOUND({ what: "project", id: projectId });
  const below = descendantsOf(await directory.projects(ctx, { domainId: project.domainId }), projectId);
  return [projectId, ...below.map((one) => one.id)].map((id) => ({ kind: "project", projectId: id }));
}

/** Adds what each assignment implies, once per user, target and role. */
function withImplied(
  direct: readonly NamedAssignment[],
  roles: ReadonlyMap<string, Role>,
  rules: readonly (readonly [string, string])[],
): NamedAssignment[] {
  const out = new Map<string, NamedAssignment>();
  const add = (entry: NamedAssignment): void => {
    const key = JSON.stringify([entry.userId, entry.scope, entry.roleId]);
    if (out.has(key)) return;
    out.set(key, entry);
    for (const [prior, implied] of rules) {
      if (prior === entry.roleId)
        add({ ...entry, roleId: implied, roleName: roles.get(implied)?.name ?? "" });
    }
  };
  direct.forEach(add);
  return [...out.values()];
}

function assignmentJson(
  base: string,
  entry: NamedAssignment,
  names: boolean,
): Readonly<Record<string, unknown>> {
  const { scope } = entry;
  const target =
    scope.kind === "project"
      ? `projects/${scope.projectId}`
      : scope.kind === "domain"
        ? `domains/${scope.domainId}`
        : "system";
  return {
    role: names ? { id: entry.roleId, name: entry.roleName } : { id: entry.roleId },
    user: names
      ? {
          id: entry.userId,
          name: entry.userName,
          domain: { id: entry.userDomainId, name: entry.userDomainName },
        }
      : { id: entry.userId },
    scope:
      scope.kind === "system"
        ? { system: { all: true } }
        : scope.kind === "domain"
          ? { domain: names ? { id: scope.domainId, name: entry.domainName } : { id: scope.domainId } }
          : {
              project: names
                ? {
                    id: scope.projectId,
                    name: entry.projectName,
                    domain: { id: entry.projectDomainId, name: entry.projectDomainName },
                  }
                : { id: scope.projectId },
            },
    links: { assignment: `${base}/v3/${target}/users/${entry.userId}/roles/${entry.roleId}` },
  };
}
