import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { pathOf, queryOf } from "../../../../platform/http/index.js";
import { parseBody } from "../../../shared/input.js";
import { ancestorsOf, descendantsOf, idChain, idTree } from "../../domain/hierarchy.js";
import type { Json, Project } from "../../domain/model.js";
import { listJson, projectJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { newId } from "../crypto.js";
import type { Directory } from "../sql/directory.js";
import { baseOf, demandIn, demandList, reply, selfUrl } from "./common.js";
import {
  description,
  extraOf,
  filterOf,
  idText,
  name,
  options,
  refuseMove,
  tag,
  tagFilters,
  tags,
} from "./fields.js";

const projectBody = z.object({
  project: z.looseObject({
    name: name.max(64),
    domain_id: idText.nullish(),
    parent_id: idText.nullish(),
    description,
    enabled: z.boolean().optional(),
    tags: tags.optional(),
    is_domain: z.literal(false).optional(),
    options,
  }),
});
const projectPatch = z.object({
  project: z.looseObject({
    name: name.max(64).optional(),
    description,
    enabled: z.boolean().optional(),
    tags: tags.optional(),
    options,
    domain_id: idText.nullish(),
  }),
});

export function projectRoutes({ directory }: IdentityParts): Router {
  const router = Router();
  const homeOf = async (ctx: Ctx, id: string): Promise<string | undefined> =>
    (await directory.project(ctx, { id }))?.domainId;
  const readable = async (ctx: Ctx, req: Request): Promise<Project> => {
    const id = pathOf(req, "id");
    await demandIn(ctx, { do: "read-project", projectId: id }, "identity:get_project", () => homeOf(ctx, id));
    const project = await directory.project(ctx, { id });
    if (!project) throw E.NOT_FOUND({ what: "project", id });
    return project;
  };
  /** A domain's id as parent means none. @throws NOT_FOUND */
  const existingParent = async (ctx: Ctx, id: string): Promise<Project | undefined> => {
    const project = await directory.project(ctx, { id });
    if (!project && !(await directory.domain(ctx, { id }))) throw E.NOT_FOUND({ what: "project", id });
    return project;
  };
  /**
   * What `?parents_as_ids`, `?subtree_as_list` and their like add: the first as trees of ids, the second as
   * lists of projects.
   */
  const relatives = async (ctx: Ctx, req: Request, project: Project): Promise<Json> => {
    const query = queryOf(req);
    if (
      !["parents_as_ids", "parents_as_list", "subtree_as_ids", "subtree_as_list"].some((param) =>
        query.has(param),
      )
    )
      return {};
    const all = await directory.projects(ctx, { domainId: project.domainId });
    const wrapped = (one: Project): Json => ({ project: projectJson(baseOf(req), one) });
    return {
      ...(query.has("parents_as_ids")
        ? { parents: idChain(ancestorsOf(all, project).map((one) => one.id)) }
        : {}),
      ...(query.has("parents_as_list") ? { parents: ancestorsOf(all, project).map(wrapped) } : {}),
      ...(query.has("subtree_as_ids") ? { subtree: idTree(all, project.id) } : {}),
      ...(query.has("subtree_as_list") ? { subtree: descendantsOf(all, project.id).map(wrapped) } : {}),
    };
  };
  router.get(
    "/v3/projects",
    reply(async (ctx, req) => {
      const filter = demandList(ctx, "identity:list_projects", { ...filterOf(req), tags: tagFilters(req) });
      return listJson(
        "projects",
        (filter ? await directory.projects(ctx, filter) : []).map((one) => projectJson(baseOf(req), one)),
        selfUrl(req, baseOf(req)),
      );
    }),
  );
  router.get(
    "/v3/projects/:id",
    reply(async (ctx, req) => {
      const project = await readable(ctx, req);
      return { project: { ...projectJson(baseOf(req), project), ...(await relatives(ctx, req, project)) } };
    }),
  );
  router.post(
    "/v3/projects",
    reply(async (ctx, req) => {
      await demandIn(ctx, { do: "write" }, "identity:create_project", async () => {
        const { domain_id, parent_id } = parseBody(projectBody, req.body).project;
        const above = parent_id ? await existingParent(ctx, parent_id) : undefined;
        return domain_id || above?.domainId || ctx.actor.domainId;
      });
      const {
        name: projectName,
        domain_id,
        parent_id,
        description: text,
        enabled = true,
        tags: wanted = [],
        options: chosen = {},
        is_domain: _no,
        ...rest
      } = parseBody(projectBody, req.body).project;
      const parent = parent_id ? await existingParent(ctx, parent_id) : undefined;
      const domainId = domain_id || parent?.domainId || ctx.actor.domainId || "default";
      if (parent && parent.domainId !== domainId)
        throw E.INVALID({ problem: "domain_id: must be the same as the parent project's" });
      const project: Project = {
        id: newId(),
        name: projectName,
        domainId,
        parentId: parent?.id ?? domainId,
        enabled,
        description: text ?? "",
        tags: [...new Set(wanted)],
        options: chosen,
        extra: extraOf(rest),
      };
      await directory.insertProject(ctx, project);
      return { project: projectJson(baseOf(req), project) };
    }, 201),
  );
  router.patch(
    "/v3/projects/:id",
    reply(async (ctx, req) => {
      const id = pathOf(req, "id");
      await demandIn(ctx, { do: "write" }, "identity:update_project", () => homeOf(ctx, id));
      const {
        name: projectName,
        description: text,
        enabled,
        tags: wanted,
        options: chosen,
        domain_id,
        ...rest
      } = parseBody(projectPatch, req.body).project;
      refuseMove(domain_id, await homeOf(ctx, id));
      const project = await directory.updateProject(ctx, id, {
        name: projectName,
        description: text ?? undefined,
        enabled,
        tags: wanted && [...new Set(wanted)],
        options: chosen,
        extra: extraOf(rest),
      });
      return { project: projectJson(baseOf(req), project) };
    }),
  );
  router.delete(
    "/v3/projects/:id",
    reply(async (ctx, req) => {
      const id = pathOf(req, "id");
      await demandIn(ctx, { do: "write" }, "identity:delete_project", () => homeOf(ctx, id));
      await directory.deleteProject(ctx, id);
    }),
  );
  mountTags(router, directory, readable);
  return router;
}

/** Mounts the tags of a project. */
function mountTags(
  router: Router,
  directory: Directory,
  readable: (ctx: Ctx, req: Request) => Promise<Project>,
): void {
  const change = async (
    ctx: Ctx,
    req: Request,
    action: string,
    edit: (tags: readonly string[]) => readonly string[],
  ): Promise<readonly string[]> => {
    const id = pathOf(req, "id");
    await demandIn(
      ctx,
      { do: "write" },
      action,
      async () => (await directory.project(ctx, { id }))?.domainId,
    );
    return directory.updateTags(ctx, id, edit);
  };
  const tagOf = (req: Request): string => parseBody(z.object({ tag }), { tag: pathOf(req, "tag") }).tag;
  const held = (all: readonly string[], name_: string): void => {
    if (!all.includes(name_)) throw E.NOT_FOUND({ what: "project tag", id: name_ });
  };
  const path = "/v3/projects/:id/tags";
  router.get(
    path,
    reply(async (ctx, req) => ({
      tags: (await readable(ctx, req)).tags,
      links: { self: selfUrl(req, baseOf(req)) },
    })),
  );
  router.put(
    path,
    reply(async (ctx, req) => {
      const { tags: wanted } = parseBody(z.object({ tags }), req.body);
      return {
        tags: await change(ctx, req, "identity:update_project_tags", () => wanted),
        links: { self: selfUrl(req, baseOf(req)) },
      };
    }),
  );
  router.delete(
    path,
    reply(async (ctx, req) => {
      await change(ctx, req, "identity:delete_project_tags", () => []);
    }),
  );
  router.get(
    `${path}/:tag`,
    reply(async (ctx, req) => held((await readable(ctx, req)).tags, tagOf(req))),
  );
  router.put(
    `${path}/:tag`,
    reply(async (ctx, req, res) => {
      await change(ctx, req, "identity:create_project_tag", (before) => [...before, tagOf(req)]);
      res.status(201).end();
    }),
  );
  router.delete(
    `${path}/:tag`,
    reply(async (ctx, req) => {
      await change(ctx, req, "identity:delete_project_tag", (before) => {
        held(before, tagOf(req));
        return before.filter((one) => one !== tagOf(req));
      });
    }),
  );
}
