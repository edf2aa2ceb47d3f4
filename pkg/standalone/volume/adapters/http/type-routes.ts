import { Router } from "express";
import { z } from "zod";
import { pathOf } from "../../../../platform/http/index.js";
import { DEFAULT_TYPE } from "../../domain/model.js";
import { demandAdmin } from "../../domain/policy.js";
import { newTypeJson, typeJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { VolumeParts } from "../../ports.js";
import { defaultType, deleteType, getType, insertType, listTypes, setExtraSpecs } from "../sql/types.js";
import { bodyOf, idOf, reply, viewerOf } from "./common.js";
import { flag, metadata } from "./fields.js";

const typeBody = z.object({
  volume_type: z.strictObject({
    name: z
      .string()
      .max(255)
      .transform((text) => text.trim())
      .pipe(z.string().min(1)),
    description: z.string().max(255).nullish(),
    extra_specs: metadata.optional(),
    "os-volume-type-access:is_public": flag.optional(),
  }),
});
const specsBody = z.object({ extra_specs: metadata });

export function typeRoutes({ db, clock, ids }: VolumeParts): Router {
  const router = Router();
  router.get(
    "/types",
    reply(async (ctx, req) => {
      const types = await db.statement(ctx, "volume.types", (tx) => listTypes(tx, ctx.actor));
      return { volume_types: types.map((type) => typeJson(type, viewerOf(req))) };
    }),
  );
  router.post(
    "/types",
    reply(async (ctx, req) => {
      demandAdmin(ctx.actor, "volume_extension:type_create");
      const { volume_type: wish } = bodyOf(req, typeBody);
      const type = {
        id: ids.uuid(),
        name: wish.name,
        description: wish.description ?? null,
        isPublic: wish["os-volume-type-access:is_public"] ?? true,
        extraSpecs: wish.extra_specs ?? {},
        createdAt: clock.now(),
      };
      await db.write(ctx, "volume.type.create", (tx) => insertType(tx, type));
      return { volume_type: newTypeJson(type, viewerOf(req)) };
    }),
  );
  router.get(
    "/types/default",
    reply(async (ctx, req) => ({
      volume_type: typeJson(
        await db.statement(ctx, "volume.type.default", (tx) => defaultType(tx)),
        viewerOf(req),
      ),
    })),
  );
  router.get(
    "/types/:id",
    reply(async (ctx, req) => ({
      volume_type: typeJson(
        await db.statement(ctx, "volume.type", (tx) => getType(tx, ctx.actor, idOf(req))),
        viewerOf(req),
      ),
    })),
  );
  router.delete(
    "/types/:id",
    reply(async (ctx, req) => {
      demandAdmin(ctx.actor, "volume_extension:type_delete");
      await db.write(ctx, "volume.type.delete", async (tx) => {
        const type = await getType(tx, ctx.actor, idOf(req));
        if (type.name === DEFAULT_TYPE) throw E.TYPE_IS_DEFAULT({ id: type.id });
        await deleteType(tx, type.id);
      });
    }, 202),
  );
  router.get(
    "/types/:id/extra_specs",
    reply(async (ctx, req) => {
      const type = await db.statement(ctx, "volume.type", (tx) => getType(tx, ctx.actor, idOf(req)));
      return { extra_specs: typeJson(type, viewerOf(req))["extra_specs"] };
    }),
  );
  router.post(
    "/types/:id/extra_specs",
    reply(async (ctx, req) => {
      demandAdmin(ctx.actor, "volume_extension:types_extra_specs:create");
      const { extra_specs: specs } = bodyOf(req, specsBody);
      await db.write(ctx, "volume.type.specs", async (tx) => {
        const type = await getType(tx, ctx.actor, idOf(req));
        await setExtraSpecs(tx, type.id, { ...type.extraSpecs, ...specs });
      });
      return { extra_specs: specs };
    }),
  );
  router.delete(
    "/types/:id/extra_specs/:key",
    reply(async (ctx, req) => {
      demandAdmin(ctx.actor, "volume_extension:types_extra_specs:delete");
      const key = pathOf(req, "key");
      await db.write(ctx, "volume.type.specs", async (tx) => {
        const type = await getType(tx, ctx.actor, idOf(req));
        if (!Object.hasOwn(type.extraSpecs, key)) throw E.EXTRA_SPEC_NOT_FOUND({ id: type.id, key });
        const left = Object.entries(type.extraSpecs).filter(([name]) => name !== key);
        await setExtraSpecs(tx, type.id, Object.fromEntries(left));
      });
    }, 202),
  );
  return router;
}
