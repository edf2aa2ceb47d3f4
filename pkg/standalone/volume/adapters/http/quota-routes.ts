import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Actor } from "../../../../kernel/index.js";
import { lastOf, pathOf, queryOf } from "../../../../platform/http/index.js";
import { demandAdmin, isAdmin } from "../../domain/policy.js";
import { quotaDefaults, quotaResources, usedOf } from "../../domain/quotas.js";
import type { QuotaLimits } from "../../domain/quotas.js";
import type { VolumeParts } from "../../ports.js";
import { quotaOf, resetQuota, setQuota, usageOf } from "../sql/quotas.js";
import { bodyOf, reply } from "./common.js";

const limit = z
  .union([z.number(), z.string().regex(/^-?\d{1,10}$/, "not an integer")])
  .transform(Number)
  .pipe(
    z
      .number()
      .int()
      .min(-1)
      .max(2 ** 31 - 1),
  )
  .optional();
const quotaBody = z.object({
  quota_set: z.strictObject({
    ...Object.fromEntries(quotaResources.map((name) => [name, limit])),
    // Clients send whose it is along.
    tenant_id: z.string().max(64).optional(),
  }),
});

export function quotaRoutes({ db, limits }: VolumeParts): Router {
  const router = Router();
  const project = (req: Request): string => pathOf(req, "project");
  const demandRead = (actor: Actor, projectId: string): void => {
    if (!isAdmin(actor) && actor.projectId !== projectId) demandAdmin(actor, "volume_extension:quotas:show");
  };
  router.get(
    "/os-quota-sets/:project/defaults",
    reply(async (ctx, req) => {
      demandRead(ctx.actor, project(req));
      return { quota_set: { id: project(req), ...quotaDefaults(limits) } };
    }),
  );
  router.get(
    "/os-quota-sets/:project",
    reply(async (ctx, req) => {
      const id = project(req);
      demandRead(ctx.actor, id);
      const [quota, used] = await db.read(ctx, "volume.quota", async (tx) => [
        await quotaOf(tx, id, limits),
        await usageOf(tx, id),
      ]);
      const withUsage = /^(true|1)$/i.test(lastOf(queryOf(req), "usage") ?? "");
      const told = quotaResources.map((name) => [
        name,
        withUsage ? { limit: quota[name], in_use: usedOf(used, name), reserved: 0 } : quota[name],
      ]);
      return { quota_set: { id, ...Object.fromEntries(told) } };
    }),
  );
  router.put(
    "/os-quota-sets/:project",
    reply(async (ctx, req) => {
      demandAdmin(ctx.actor, "volume_extension:quotas:update");
      const { quota_set: wish } = bodyOf(req, quotaBody);
      const wanted: Partial<Record<keyof QuotaLimits, number>> = {};
      for (const name of quotaResources) {
        const value = (wish as Readonly<Record<string, unknown>>)[name];
        if (typeof value === "number") wanted[name] = value;
      }
      return {
        quota_set: await db.write(ctx, "volume.quota.set", async (tx) => {
          await setQuota(tx, project(req), wanted);
          return quotaOf(tx, project(req), limits);
        }),
      };
    }),
  );
  router.delete(
    "/os-quota-sets/:project",
    reply(async (ctx, req) => {
      demandAdmin(ctx.actor, "volume_extension:quotas:delete");
      await db.write(ctx, "volume.quota.reset", (tx) => resetQuota(tx, project(req)));
    }),
  );
  router.get(
    "/os-quota-class-sets/:project",
    reply(async (ctx, req) => {
      demandAdmin(ctx.actor, "volume_extension:quota_classes:get");
      return { quota_class_set: { id: project(req), ...quotaDefaults(limits) } };
    }),
  );
  return router;
}
