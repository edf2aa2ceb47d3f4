import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import { lastOf, pathOf, queryOf } from "../../../../platform/http/index.js";
import { parseBody, parseFlag } from "../../../shared/input.js";
import type { Domain, Project, Role } from "../../domain/model.js";
import { domainJson, listJson, projectJson, roleJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { newId } from "../crypto.js";
import type { DirectoryFilter } from "../sql/directory.js";
import { baseOf, demand, reply, selfUrl } from "./common.js";

const name = z.string().min(1).max(255);
const description = z.string().max(65_535).nullish();
const tags = z.array(z.string().min(1).max(255)).max(80);

const domainBody = z.object({ domain: z.object({ name, description, enabled: z.boolean().optional() }) });
const domainPatch = z.object({ domain: z.object({ name: name.optional(), description, enabled: z.boolean().optional() }) });
const projectBody = z.object({ project: z.object({
  name: name.max(64), domain_id: z.string().max(64).nullish(), parent_id: z.string().max(64).nullish(), description,
  enabled: z.boolean().optional(), tags: tags.optional(), is_domain: z.literal(false).optional(),
}) });
const projectPatch = z.object({ project: z.object({ name: name.max(64).optional(), description, enabled: z.boolean().optional(), tags: tags.optional() }) });
const roleBody = z.object({ role: z.object({ name, description, domain_id: z.null().optional() }) });
const rolePatch = z.object({ role: z.object({ name: name.optional(), description }) });

/** The filters that lists of domains, projects, users and roles take; others are ignored, as Keystone does. */
export function filterOf(req: Request): DirectoryFilter {
  const query = queryOf(req);
  const enabled = lastOf(query, "enabled");
  return {
    id: lastOf(query, "id"), name: lastOf(query, "name"), domainId: lastOf(query, "domain_id"), parentId: lastOf(query, "parent_id"),
    enabled: enabled === undefined ? undefined : parseFlag(enabled) ?? true,
  };
}

export function domainRoutes({ directory }: IdentityParts): Router {
  const router = Router();
  const get = async (ctx: Parameters<typeof directory.domain>[0], id: string): Promise<Domain> => {
    const domain = await directory.domain(ctx, { id });
    if (!domain) throw E.NOT_FOUND({ what: "domain", id });
    return domain;
  };
  router.get("/v3/domains", reply(async (ctx, req) => {
    demand(ctx, { do: "read" }, "identity:list_domains");
    return listJson("domains", (await directory.domains(ctx, filterOf(req))).map((one) => domainJson(baseOf(req), one)), selfUrl(req, baseOf(req)));
  }));
  router.get("/v3/domains/:id", reply(async (ctx, req) => {
    const id = pathOf(req, "id");
    demand(ctx, { do: "read-domain", domainId: id }, "identity:get_domain");
    return { domain: domainJson(baseOf(req), await get(ctx, id)) };
  }));
  router.post("/v3/domains", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:create_domain");
    const { domain: wish } = parseBody(domainBody, req.body);
    const domain: Domain = { id: newId(), name: wish.name, enabled: wish.enabled ?? true, description: wish.description ?? "" };
    await directory.insertDomain(ctx, domain);
    return { domain: domainJson(baseOf(req), domain) };
  }, 201));
  router.patch("/v3/domains/:id", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:update_domain");
    const { domain: wish } = parseBody(domainPatch, req.body);
    const domain = await directory.updateDomain(ctx, pathOf(req, "id"), { ...wish, description: wish.description ?? undefined });
    return { domain: domainJson(baseOf(req), domain) };
  }));
  router.delete("/v3/domains/:id", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:delete_domain");
    await directory.deleteDomain(ctx, pathOf(req, "id"));
  }));
  return router;
}

export function projectRoutes({ directory }: IdentityParts): Router {
  const router = Router();
  router.get("/v3/projects", reply(async (ctx, req) => {
    demand(ctx, { do: "read" }, "identity:list_projects");
    return listJson("projects", (await directory.projects(ctx, filterOf(req))).map((one) => projectJson(baseOf(req), one)), selfUrl(req, baseOf(req)));
  }));
  router.get("/v3/projects/:id", reply(async (ctx, req) => {
    const id = pathOf(req, "id");
    demand(ctx, { do: "read-project", projectId: id }, "identity:get_project");
    const project = await directory.project(ctx, { id });
    if (!project) throw E.NOT_FOUND({ what: "project", id });
    return { project: projectJson(baseOf(req), project) };
  }));
  router.post("/v3/projects", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:create_project");
    const { project: wish } = parseBody(projectBody, req.body);
    const domainId = wish.domain_id || ctx.actor.domainId || "default";
    const project: Project = {
      id: newId(), name: wish.name, domainId, parentId: wish.parent_id || domainId, enabled: wish.enabled ?? true,
      description: wish.description ?? "", tags: wish.tags ?? [],
    };
    await directory.insertProject(ctx, project);
    return { project: projectJson(baseOf(req), project) };
  }, 201));
  router.patch("/v3/projects/:id", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:update_project");
    const { project: wish } = parseBody(projectPatch, req.body);
    const project = await directory.updateProject(ctx, pathOf(req, "id"), { ...wish, description: wish.description ?? undefined });
    return { project: projectJson(baseOf(req), project) };
  }));
  router.delete("/v3/projects/:id", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:delete_project");
    await directory.deleteProject(ctx, pathOf(req, "id"));
  }));
  return router;
}

export function roleRoutes({ directory, assignments }: IdentityParts): Router {
  const router = Router();
  router.get("/v3/roles", reply(async (ctx, req) => {
    demand(ctx, { do: "read" }, "identity:list_roles");
    return listJson("roles", (await directory.roles(ctx, filterOf(req))).map((one) => roleJson(baseOf(req), one)), selfUrl(req, baseOf(req)));
  }));
  router.get("/v3/roles/:id", reply(async (ctx, req) => {
    demand(ctx, { do: "read" }, "identity:get_role");
    const id = pathOf(req, "id");
    const [role] = await directory.roles(ctx, { id });
    if (!role) throw E.NOT_FOUND({ what: "role", id });
    return { role: roleJson(baseOf(req), role) };
  }));
  router.post("/v3/roles", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:create_role");
    const { role: wish } = parseBody(roleBody, req.body);
    const role: Role = { id: newId(), name: wish.name, description: wish.description ?? "" };
    await directory.insertRole(ctx, role);
    return { role: roleJson(baseOf(req), role) };
  }, 201));
  router.patch("/v3/roles/:id", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:update_role");
    const { role: wish } = parseBody(rolePatch, req.body);
    const role = await directory.updateRole(ctx, pathOf(req, "id"), { ...wish, description: wish.description ?? undefined });
    return { role: roleJson(baseOf(req), role) };
  }));
  router.delete("/v3/roles/:id", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:delete_role");
    await directory.deleteRole(ctx, pathOf(req, "id"));
  }));
  router.get("/v3/role_inferences", reply(async (ctx, req) => {
    demand(ctx, { do: "read" }, "identity:list_role_inference_rules");
    const roles = new Map((await directory.roles(ctx, {})).map((role) => [role.id, role]));
    const short = (id: string): unknown => ({ id, name: roles.get(id)?.name ?? "", links: { self: `${baseOf(req)}/v3/roles/${id}` } });
    const rules = await assignments.implications(ctx);
    const priors = [...new Set(rules.map(([prior]) => prior))];
    return { role_inferences: priors.map((prior) => ({
      prior_role: short(prior), implies: rules.flatMap(([from, to]) => from === prior ? [short(to)] : []),
    })) };
  }));
  return router;
}
