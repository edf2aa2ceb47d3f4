import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { demandWrite } from "../../domain/policy.js";
import { attachmentJson, attachmentSummary } from "../../domain/views.js";
import { E } from "../../errors.js";
import { complete, connect, isService, release, reserve } from "../../ops/attaching.js";
import type { VolumeParts } from "../../ports.js";
import { attachmentListing, getAttachment, listAttachments } from "../sql/attachments.js";
import { bodyOf, factsOf, idOf, listingOf, nextLink, reply, since } from "./common.js";
import { connector, uuid } from "./fields.js";

const NEW_ATTACH = 27;
const COMPLETION = 44;
const MODE = 54;

const mode = z.enum(["rw", "ro", "null"]).nullish();
const createBody = z.object({
  attachment: z.strictObject({
    volume_uuid: uuid,
    instance_uuid: uuid.nullish(),
    connector: connector.nullish(),
    mode,
  }),
});
const updateBody = z.object({
  attachment: z.strictObject({
    connector: connector.refine((one) => Object.keys(one).length > 0, "empty"),
    mode,
  }),
});
const actionBody = z.strictObject({ "os-complete": z.unknown() });

/** Attachments: how Compute takes volumes into use. */
export function attachmentRoutes(parts: VolumeParts): Router {
  const { db } = parts;
  const router = Router();
  router.use("/attachments", since(NEW_ATTACH));
  const list = async (ctx: Ctx, req: Request, detailed: boolean): Promise<unknown> => {
    const listing = listingOf(req, attachmentListing);
    const items = await db.read(ctx, "attachment.list", (tx) => listAttachments(tx, ctx.actor, listing));
    return {
      attachments: items.map(detailed ? attachmentJson : attachmentSummary),
      ...nextLink(req, "attachments", listing, items),
    };
  };
  router.get(
    "/attachments",
    reply((ctx, req) => list(ctx, req, false)),
  );
  router.get(
    "/attachments/detail",
    reply((ctx, req) => list(ctx, req, true)),
  );
  router.post(
    "/attachments",
    reply(async (ctx, req) => {
      demandWrite(ctx.actor, "volume:attachment_create");
      const { attachment: wish } = bodyOf(req, createBody);
      demandMode(req, wish.mode);
      const reserved = await reserve(parts, ctx, {
        volumeId: wish.volume_uuid,
        instanceUuid: wish.instance_uuid ?? null,
        mode: wish.mode === "null" ? null : (wish.mode ?? null),
      });
      // Clients send an empty one where they mean none.
      const host = wish.connector ?? {};
      if (Object.keys(host).length === 0) return { attachment: attachmentJson(reserved) };
      try {
        return { attachment: attachmentJson(await connect(parts, ctx, reserved.id, host)) };
      } catch (error) {
        await release(parts, ctx, reserved.id, true);
        throw error;
      }
    }),
  );
  router.get(
    "/attachments/:id",
    reply(async (ctx, req) => ({
      attachment: attachmentJson(
        await db.statement(ctx, "attachment.get", (tx) => getAttachment(tx, ctx.actor, idOf(req))),
      ),
    })),
  );
  router.put(
    "/attachments/:id",
    reply(async (ctx, req) => {
      demandWrite(ctx.actor, "volume:attachment_update");
      const { attachment: wish } = bodyOf(req, updateBody);
      demandMode(req, wish.mode);
      const host =
        wish.mode && wish.mode !== "null" ? { ...wish.connector, mode: wish.mode } : wish.connector;
      return { attachment: attachmentJson(await connect(parts, ctx, idOf(req), host)) };
    }),
  );
  router.delete(
    "/attachments/:id",
    reply(async (ctx, req) => {
      demandWrite(ctx.actor, "volume:attachment_delete");
      const left = await release(parts, ctx, idOf(req), isService(factsOf(req).service));
      return { attachments: left.map(attachmentSummary) };
    }),
  );
  router.post(
    "/attachments/:id/action",
    since(COMPLETION),
    reply(async (ctx, req) => {
      demandWrite(ctx.actor, "volume:attachment_complete");
      bodyOf(req, actionBody);
      await complete(parts, ctx, idOf(req));
    }, 204),
  );
  return router;
}

/** @throws INVALID_FIELD before its version */
function demandMode(req: Request, wish: z.output<typeof mode>): void {
  if (wish !== undefined && factsOf(req).minor < MODE)
    throw E.INVALID_FIELD({
      field: "attachment",
      problem: "Additional properties are not allowed ('mode')",
    });
}
