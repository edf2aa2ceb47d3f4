import { Router } from "express";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { pathOf } from "../../../../platform/http/index.js";
import { AuthErrors } from "../../../shared/auth.js";
import { parseBody } from "../../../shared/input.js";
import type { User } from "../../domain/model.js";
import { administers, isDomainAdmin } from "../../domain/policy.js";
import { listJson, projectJson, userJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { NO_LOCKOUT } from "../../domain/model.js";
import { newId } from "../crypto.js";
import { baseOf, callerOf, demand, demandCommon, demandIn, demandList, reply, selfUrl } from "./common.js";
import { refuseAbove } from "./domain-limits.js";
import { description, extraOf, filterOf, idText, name, refuseMove } from "./fields.js";

const password = z.string().min(1).max(4_096);
/** Nothing here asks for a second factor: whoever wants one must not believe to have it. */
const noSecondFactor = {
  multi_factor_auth_enabled: z.literal(false).nullish(),
  multi_factor_auth_rules: z.array(z.never()).nullish(),
};
const toggle = z.boolean().nullish();
const userOptions = z
  .strictObject({
    ...noSecondFactor,
    lock_password: toggle,
    ignore_password_expiry: toggle,
    ignore_change_password_upon_first_use: toggle,
    [NO_LOCKOUT]: toggle,
    ignore_user_inactivity: toggle,
  })
  .optional();
const email = z.string().max(255).nullish();
const userBody = z.object({
  user: z.looseObject({
    name,
    password: password.nullish(),
    domain_id: idText.nullish(),
    enabled: z.boolean().optional(),
    default_project_id: idText.nullish(),
    email,
    description,
    options: userOptions,
  }),
});
const userPatch = z.object({
  user: z.looseObject({
    name: name.optional(),
    password: password.optional(),
    domain_id: idText.nullish(),
    enabled: z.boolean().optional(),
    default_project_id: idText.nullish(),
    email,
    description,
    options: userOptions,
  }),
});
const ownPassword = z.object({ user: z.object({ original_password: password, password }) });

export function userRoutes(parts: IdentityParts): Router {
  const { directory, assignments, secrets } = parts;
  const router = Router();
  const homeOf = async (ctx: Ctx, id: string): Promise<string | undefined> =>
    (await directory.user(ctx, id))?.domainId;
  router.get(
    "/v3/users",
    reply(async (ctx, req) => {
      const filter = demandList(ctx, "identity:list_users", filterOf(req));
      return listJson(
        "users",
        (filter ? await directory.users(ctx, filter) : []).map((one) => userJson(baseOf(req), one)),
        selfUrl(req, baseOf(req)),
      );
    }),
  );
  router.post(
    "/v3/users",
    reply(async (ctx, req) => {
      await demandIn(
        ctx,
        { do: "write" },
        "identity:create_user",
        async () => parseBody(userBody, req.body).user.domain_id || ctx.actor.domainId,
      );
      const {
        name: userName,
        password: secret,
        domain_id,
        enabled = true,
        default_project_id,
        email: mail,
        description: text,
        options = {},
        ...rest
      } = parseBody(userBody, req.body).user;
      const user: User = {
        id: newId(),
        name: userName,
        domainId: domain_id || ctx.actor.domainId || "default",
        enabled,
        description: text ?? "",
        email: mail ?? null,
        defaultProjectId: default_project_id ?? null,
        options,
        extra: extraOf(rest),
      };
      await directory.insertUser(
        ctx,
        user,
        secret ? await secrets.hash(ctx, callerOf(req, ctx.actor.userId), secret) : null,
      );
      return { user: userJson(baseOf(req), user) };
    }, 201),
  );
  router.get(
    "/v3/users/:id",
    reply(async (ctx, req) => {
      const id = pathOf(req, "id");
      await demandIn(ctx, { do: "read-own", userId: id }, "identity:get_user", () => homeOf(ctx, id));
      return { user: userJson(baseOf(req), await existing(parts, ctx, id)) };
    }),
  );
  router.patch(
    "/v3/users/:id",
    reply(async (ctx, req) => {
      const id = pathOf(req, "id");
      await demandIn(ctx, { do: "write" }, "identity:update_user", () => homeOf(ctx, id));
      await refuseAbove(parts, ctx, id, "identity:update_user");
      const {
        name: userName,
        password: secret,
        domain_id,
        enabled,
        default_project_id,
        email: mail,
        description: text,
        options,
        ...rest
      } = parseBody(userPatch, req.body).user;
      if (domain_id) refuseMove(domain_id, (await existing(parts, ctx, id)).domainId);
      const user = await directory.updateUser(
        ctx,
        id,
        {
          name: userName,
          enabled,
          email: mail,
          description: text ?? undefined,
          defaultProjectId: default_project_id,
          options,
          extra: extraOf(rest),
        },
        secret === undefined ? undefined : await secrets.hash(ctx, callerOf(req, ctx.actor.userId), secret),
      );
      return { user: userJson(baseOf(req), user) };
    }),
  );
  router.delete(
    "/v3/users/:id",
    reply(async (ctx, req) => {
      const id = pathOf(req, "id");
      await demandIn(ctx, { do: "write" }, "identity:delete_user", () => homeOf(ctx, id));
      await refuseAbove(parts, ctx, id, "identity:delete_user");
      await directory.deleteUser(ctx, id);
    }),
  );
  router.post(
    "/v3/users/:id/password",
    reply(async (ctx, req) => {
      const id = pathOf(req, "id");
      demand(ctx, { do: "own", userId: id }, "identity:change_password");
      const { user: wish } = parseBody(ownPassword, req.body);
      const account = await directory.account(ctx, { id });
      const caller = callerOf(req, id, account?.options[NO_LOCKOUT] === true);
      if (!(await secrets.verify(ctx, caller, wish.original_password, account?.passwordHash)))
        throw AuthErrors.UNAUTHENTICATED({});
      if (account?.options["lock_password"] === true) throw E.PASSWORD_LOCKED({});
      await directory.updateUser(ctx, id, {}, await secrets.hash(ctx, caller, wish.password));
    }),
  );
  router.get(
    "/v3/users/:id/projects",
    reply(async (ctx, req) => {
      const id = pathOf(req, "id");
      await demandIn(ctx, { do: "read-own", userId: id }, "identity:list_user_projects", () =>
        homeOf(ctx, id),
      );
      const { projects } = await assignments.reach(ctx, (await existing(parts, ctx, id)).id);
      const isOwn = ctx.actor.userId === id;
      return listJson(
        "projects",
        projects
          .filter((one) => isOwn || !isDomainAdmin(ctx.actor) || administers(ctx.actor, one.domainId))
          .map((one) => projectJson(baseOf(req), one)),
        selfUrl(req, baseOf(req)),
      );
    }),
  );
  // There are no groups here, so nobody is in one.
  router.get(
    "/v3/users/:id/groups",
    reply(async (ctx, req) => {
      const id = pathOf(req, "id");
      await demandIn(ctx, { do: "read-own", userId: id }, "identity:list_groups_for_user", () =>
        homeOf(ctx, id),
      );
      return listJson("groups", [], selfUrl(req, baseOf(req)));
    }),
  );
  router.get(
    "/v3/groups",
    reply(async (ctx, req) => {
      demandCommon(ctx, "identity:list_groups");
      return listJson("groups", [], selfUrl(req, baseOf(req)));
    }),
  );
  return router;
}

/** @throws NOT_FOUND */
export async function existing({ directory }: IdentityParts, ctx: Ctx, id: string): Promise<User> {
  const user = await directory.user(ctx, id);
  if (!user) throw E.NOT_FOUND({ what: "user", id });
  return user;
}
