import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { lastOf, pathOf, queryOf } from "../../../../platform/http/index.js";
import { AuthErrors } from "../../../shared/auth.js";
import { parseBody } from "../../../shared/input.js";
import type { User } from "../../domain/model.js";
import { listJson, projectJson, userJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { newId } from "../crypto.js";
import { baseOf, demand, reply, selfUrl } from "./common.js";
import { filterOf } from "./directory-routes.js";

const name = z.string().min(1).max(255);
const password = z.string().min(1).max(4_096);
const optionalText = z.string().max(65_535).nullish();
const email = z.string().max(255).nullish();
const userBody = z.object({ user: z.object({
  name, password: password.nullish(), domain_id: z.string().max(64).nullish(), enabled: z.boolean().optional(),
  default_project_id: z.string().max(64).nullish(), email, description: optionalText,
}) });
const userPatch = z.object({ user: z.object({
  name: name.optional(), password: password.optional(), enabled: z.boolean().optional(),
  default_project_id: z.string().max(64).nullish(), email, description: optionalText,
}) });
const ownPassword = z.object({ user: z.object({ original_password: password, password }) });

export function userRoutes(parts: IdentityParts): Router {
  const { directory, assignments, passwords } = parts;
  const router = Router();
  router.get("/v3/users", reply(async (ctx, req) => {
    demand(ctx, { do: "read" }, "identity:list_users");
    return listJson("users", (await directory.users(ctx, filterOf(req))).map((one) => userJson(baseOf(req), one)), selfUrl(req, baseOf(req)));
  }));
  router.post("/v3/users", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:create_user");
    const { user: wish } = parseBody(userBody, req.body);
    const user: User = {
      id: newId(), name: wish.name, domainId: wish.domain_id || ctx.actor.domainId || "default", enabled: wish.enabled ?? true,
      description: wish.description ?? "", email: wish.email ?? null, defaultProjectId: wish.default_project_id ?? null,
    };
    await directory.insertUser(ctx, user, wish.password ? await passwords.hash(wish.password) : null);
    return { user: userJson(baseOf(req), user) };
  }, 201));
  router.get("/v3/users/:id", reply(async (ctx, req) => {
    const id = pathOf(req, "id");
    demand(ctx, { do: "read-own", userId: id }, "identity:get_user");
    return { user: userJson(baseOf(req), await existing(parts, ctx, id)) };
  }));
  router.patch("/v3/users/:id", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:update_user");
    const { user: wish } = parseBody(userPatch, req.body);
    const hash = wish.password === undefined ? undefined : await passwords.hash(wish.password);
    const user = await directory.updateUser(ctx, pathOf(req, "id"), {
      name: wish.name, enabled: wish.enabled, email: wish.email, description: wish.description ?? undefined, defaultProjectId: wish.default_project_id,
    }, hash);
    return { user: userJson(baseOf(req), user) };
  }));
  router.delete("/v3/users/:id", reply(async (ctx, req) => {
    demand(ctx, { do: "write" }, "identity:delete_user");
    await directory.deleteUser(ctx, pathOf(req, "id"));
  }));
  router.post("/v3/users/:id/password", reply(async (ctx, req) => {
    const id = pathOf(req, "id");
    demand(ctx, { do: "own", userId: id }, "identity:change_password");
    const { user: wish } = parseBody(ownPassword, req.body);
    const account = await directory.account(ctx, { id });
    if (!await passwords.verify(wish.original_password, account?.passwordHash)) throw AuthErrors.UNAUTHENTICATED({});
    await directory.updateUser(ctx, id, {}, await passwords.hash(wish.password));
  }));
  router.get("/v3/users/:id/projects", reply(async (ctx, req) => {
    const id = pathOf(req, "id");
    demand(ctx, { do: "read-own", userId: id }, "identity:list_user_projects");
    const { projects } = await assignments.reach(ctx, (await existing(parts, ctx, id)).id);
    return listJson("projects", projects.map((one) => projectJson(baseOf(req), one)), selfUrl(req, baseOf(req)));
  }));
  // There are no groups here, so nobody is in one.
  router.get("/v3/users/:id/groups", reply(async (ctx, req) => {
    demand(ctx, { do: "read-own", userId: pathOf(req, "id") }, "identity:list_groups_for_user");
    return listJson("groups", [], selfUrl(req, baseOf(req)));
  }));
  router.get("/v3/groups", reply(async (ctx, req) => {
    demand(ctx, { do: "read" }, "identity:list_groups");
    return listJson("groups", [], selfUrl(req, baseOf(req)));
  }));
  return router;
}

/** @throws NOT_FOUND */
export async function existing({ directory }: IdentityParts, ctx: Ctx, id: string): Promise<User> {
  const user = await directory.user(ctx, id);
  if (!user) throw E.NOT_FOUND({ what: "user", id });
  return user;
}

export const nameFilter = (req: Request): string | undefined => lastOf(queryOf(req), "name");
