import { Router } from "express";
import { z } from "zod";
import { pathOf } from "../../../../platform/http/index.js";
import { parseBody } from "../../../shared/input.js";
import type { Role } from "../../domain/model.js";
import { listJson, roleJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { newId } from "../crypto.js";
import { baseOf, demand, demandCommon, reply, selfUrl } from "./common.js";
import { description, extraOf, filterOf, name, options } from "./fields.js";

// There are no roles of single domains here.
const domain_id = z.null().optional();
const roleBody = z.object({ role: z.looseObject({ name, description, options, domain_id }) });
const rolePatch = z.object({
  role: z.looseObject({ name: name.optional(), description, options, domain_id }),
});

export function roleRoutes({ directory }: IdentityParts): Router {
  const router = Router();
  router.get(
    "/v3/roles",
    reply(async (ctx, req) => {
      demandCommon(ctx, "identity:list_roles");
      return listJson(
        "roles",
        (await directory.roles(ctx, filterOf(req))).map((one) => roleJson(baseOf(req), one)),
        selfUrl(req, baseOf(req)),
      );
    }),
  );
  router.get(
    "/v3/roles/:id",
    reply(async (ctx, req) => {
      demandCommon(ctx, "identity:get_role");
      const id = pathOf(req, "id");
      const [role] = await directory.roles(ctx, { id });
      if (!role) throw E.NOT_FOUND({ what: "role", id });
      return { role: roleJson(baseOf(req), role) };
    }),
  );
  router.post(
    "/v3/roles",
    reply(async (ctx, req) => {
      demand(ctx, { do: "write" }, "identity:create_role");
      const { role: wish } = parseBody(roleBody, req.body);
      const { name: roleName, description: text, options: wanted = {}, domain_id: _none, ...rest } = wish;
      const role: Role = {
        id: newId(),
        name: roleName,
        description: text ?? "",
        options: wanted,
        extra: extraOf(rest),
      };
      await directory.insertRole(ctx, role);
      return { role: roleJson(baseOf(req), role) };
    }, 201),
  );
  router.patch(
    "/v3/roles/:id",
    reply(async (ctx, req) => {
      demand(ctx, { do: "write" }, "identity:update_role");
      const { role: wish } = parseBody(rolePatch, req.body);
      const { name: roleName, description: text, options: wanted, domain_id: _none, ...rest } = wish;
      const role = await directory.updateRole(ctx, pathOf(req, "id"), {
        name: roleName,
        description: text ?? undefined,
        options: wanted,
        extra: extraOf(rest),
      });
      return { role: roleJson(baseOf(req), role) };
    }),
  );
  router.delete(
    "/v3/roles/:id",
    reply(async (ctx, req) => {
      demand(ctx, { do: "write" }, "identity:delete_role");
      await directory.deleteRole(ctx, pathOf(req, "id"));
    }),
  );
  return router;
}
