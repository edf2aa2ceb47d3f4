import { Router } from "express";
import { z } from "zod";
import { pathOf } from "../../../../platform/http/index.js";
import { parseBody } from "../../../shared/input.js";
import type { Domain } from "../../domain/model.js";
import { administers, isDomainAdmin } from "../../domain/policy.js";
import { domainJson, listJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { newId } from "../crypto.js";
import { baseOf, demand, demandCommon, reply, selfUrl } from "./common.js";
import { description, extraOf, filterOf, name, options } from "./fields.js";

const domainBody = z.object({
  domain: z.looseObject({ name, description, enabled: z.boolean().optional(), options }),
});
const domainPatch = z.object({
  domain: z.looseObject({ name: name.optional(), description, enabled: z.boolean().optional(), options }),
});

export function domainRoutes({ directory }: IdentityParts): Router {
  const router = Router();
  const get = async (ctx: Parameters<typeof directory.domain>[0], id: string): Promise<Domain> => {
    const domain = await directory.domain(ctx, { id });
    if (!domain) throw E.NOT_FOUND({ what: "domain", id });
    return domain;
  };
  router.get(
    "/v3/domains",
    reply(async (ctx, req) => {
      demandCommon(ctx, "identity:list_domains");
      const all = await directory.domains(ctx, filterOf(req));
      const shown = isDomainAdmin(ctx.actor) ? all.filter(({ id }) => administers(ctx.actor, id)) : all;
      return listJson(
        "domains",
        shown.map((one) => domainJson(baseOf(req), one)),
        selfUrl(req, baseOf(req)),
      );
    }),
  );
  router.get(
    "/v3/domains/:id",
    reply(async (ctx, req) => {
      const id = pathOf(req, "id");
      demand(ctx, { do: "read-domain", domainId: id }, "identity:get_domain");
      return { domain: domainJson(baseOf(req), await get(ctx, id)) };
    }),
  );
  router.post(
    "/v3/domains",
    reply(async (ctx, req) => {
      demand(ctx, { do: "write" }, "identity:create_domain");
      const { domain: wish } = parseBody(domainBody, req.body);
      const { name: domainName, enabled = true, description: text, options: wanted = {}, ...rest } = wish;
      const domain: Domain = {
        id: newId(),
        name: domainName,
        enabled,
        description: text ?? "",
        options: wanted,
        extra: extraOf(rest),
      };
      await directory.insertDomain(ctx, domain);
      return { domain: domainJson(baseOf(req), domain) };
    }, 201),
  );
  router.patch(
    "/v3/domains/:id",
    reply(async (ctx, req) => {
      demand(ctx, { do: "write" }, "identity:update_domain");
      const { domain: wish } = parseBody(domainPatch, req.body);
      const { name: domainName, enabled, description: text, options: wanted, ...rest } = wish;
      const domain = await directory.updateDomain(ctx, pathOf(req, "id"), {
        name: domainName,
        enabled,
        description: text ?? undefined,
        options: wanted,
        extra: extraOf(rest),
      });
      return { domain: domainJson(baseOf(req), domain) };
    }),
  );
  router.delete(
    "/v3/domains/:id",
    reply(async (ctx, req) => {
      demand(ctx, { do: "write" }, "identity:delete_domain");
      await directory.deleteDomain(ctx, pathOf(req, "id"));
    }),
  );
  return router;
}
