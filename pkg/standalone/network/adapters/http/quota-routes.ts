import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Actor } from "../../../../kernel/index.js";
import { pathOf } from "../../../../platform/http/index.js";
import { demandTrust, isTrusted } from "../../domain/policy.js";
import { quotaDefaults, quotaResources } from "../../domain/quotas.js";
import type { NetworkParts } from "../../ports.js";
import { projectsWithQuota, quotaOf, quotaUse, refuseBelowUse, resetQuota, setQuota } from "../sql/quotas.js";
import { bodyOf, reply } from "./common.js";
import { flag, wholeNumber } from "./fields.js";

const limit = wholeNumber(-1, 2 ** 31 - 1).optional();
const quotaBody = z.strictObject({
  ...Object.fromEntries(quotaResources.map((name) => [name, limit])),
  force: flag.optional(),
  check_limit: flag.optional(),
});

export function quotaRoutes({ db }: NetworkParts): Router {
  const router = Router();
  const project = (req: Request): string => pathOf(req, "project").replace(/\.json$/, "");
  const demandRead = (actor: Actor, projectId: string): void => {
    if (!isTrusted(actor) && actor.projectId !== projectId) demandTrust(actor, "get_quota");
  };
  router.get(
    "/v2.0/quotas",
    reply(async (ctx) => {
      demandTrust(ctx.actor, "get_quota");
      return db.read(ctx, "network.quotas", async (tx) => {
        const quotas = [];
        for (const id of await projectsWithQuota(tx))
          quotas.push({ project_id: id, tenant_id: id, ...(await quotaOf(tx, id)) });
        return { quotas };
      });
    }),
  );
  router.get(
    "/v2.0/quotas/:project/default",
    reply(async (ctx, req) => {
      demandRead(ctx.actor, project(req));
      return { quota: quotaDefaults };
    }),
  );
  const details = reply(async (ctx, req) => {
    demandRead(ctx.actor, project(req));
    return db.read(ctx, "network.quota.details", async (tx) => {
      const limits = await quotaOf(tx, project(req));
      const used = await quotaUse(tx, project(req));
      return {
        quota: Object.fromEntries(
          quotaResources.map((name) => [name, { limit: limits[name], used: used[name], reserved: 0 }]),
        ),
      };
    });
  });
  router.get("/v2.0/quotas/:project/details", details);
  router.get("/v2.0/quotas/:project/details.json", details);
  router.get(
    "/v2.0/quotas/:project",
    reply(async (ctx, req) => {
      demandRead(ctx.actor, project(req));
      return { quota: await db.statement(ctx, "network.quota", (tx) => quotaOf(tx, project(req))) };
    }),
  );
  router.put(
    "/v2.0/quotas/:project",
    reply(async (ctx, req) => {
      demandTrust(ctx.actor, "update_quota");
      const { force = false, check_limit: check = false, ...wish } = bodyOf(req, "quota", quotaBody);
      const limits = Object.fromEntries(
        quotaResources.flatMap((name) => {
          const value = (wish as Readonly<Record<string, unknown>>)[name];
          return typeof value === "number" ? [[name, value]] : [];
        }),
      );
      return {
        quota: await db.write(ctx, "network.quota.set", async (tx) => {
          if (check && !force) await refuseBelowUse(tx, project(req), limits);
          await setQuota(tx, project(req), limits);
          return quotaOf(tx, project(req));
        }),
      };
    }),
  );
  router.delete(
    "/v2.0/quotas/:project",
    reply(async (ctx, req) => {
      demandTrust(ctx.actor, "delete_quota");
      await db.write(ctx, "network.quota.reset", (tx) => resetQuota(tx, project(req)));
    }),
  );
  return router;
}
