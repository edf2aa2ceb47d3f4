import { Router } from "express";
import type { Request } from "express";
import { z } from "zod";
import type { Ctx } from "../../../../kernel/index.js";
import { jsonBody, pathOf } from "../../../../platform/http/index.js";
import { parseBody } from "../../../shared/input.js";
import type { Image, Member } from "../../domain/model.js";
import { memberStatuses } from "../../domain/model.js";
import { demandAnswer, demandChange, mayChange } from "../../domain/policy.js";
import { memberJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import type { ImageParts } from "../../ports.js";
import { imageId, reply } from "./common.js";

const MAX_MEMBERS = 128;
const memberBody = z.object({ member: z.string().min(1).max(255) });
const answerBody = z.object({ status: z.enum(memberStatuses) });

/** Sharing an image: its owner adds and removes members, a member accepts or rejects for itself. */
export function memberRoutes({ images, members, clock }: ImageParts): Router {
  const router = Router();
  const body = jsonBody(64 * 1024);
  const shared = async (ctx: Ctx, req: Request): Promise<Image> => {
    const image = await images.get(ctx, ctx.actor, imageId(req));
    if (image.visibility !== "shared") throw E.NOT_SHARED({});
    return image;
  };
  /** The owner sees every member, a member only itself. */
  const seen = (ctx: Ctx, image: Image, id: string): string => {
    if (!mayChange(ctx.actor, image) && ctx.actor.projectId !== id)
      throw E.MEMBER_NOT_FOUND({ id: image.id, member: id });
    return id;
  };
  router.get(
    "/v2/images/:id/members",
    reply(async (ctx, req) => {
      const image = await shared(ctx, req);
      const all = await members.list(ctx, image.id);
      const visible = mayChange(ctx.actor, image)
        ? all
        : all.filter((one) => one.memberId === ctx.actor.projectId);
      return { members: visible.map(memberJson), schema: "/v2/schemas/members" };
    }),
  );
  router.post(
    "/v2/images/:id/members",
    body,
    reply(async (ctx, req) => {
      const image = await shared(ctx, req);
      demandChange(ctx.actor, image, "add_member");
      const { member: memberId } = parseBody(memberBody, req.body);
      if ((await members.list(ctx, image.id)).length >= MAX_MEMBERS)
        throw E.TOO_MUCH({ what: "image members", limit: MAX_MEMBERS });
      const now = clock.now();
      const member: Member = {
        imageId: image.id,
        memberId,
        status: "pending",
        createdAt: now,
        updatedAt: now,
      };
      await members.insert(ctx, member);
      return memberJson(member);
    }),
  );
  router.get(
    "/v2/images/:id/members/:member",
    reply(async (ctx, req) => {
      const image = await shared(ctx, req);
      return memberJson(await members.get(ctx, image.id, seen(ctx, image, pathOf(req, "member"))));
    }),
  );
  router.put(
    "/v2/images/:id/members/:member",
    body,
    reply(async (ctx, req) => {
      const image = await shared(ctx, req);
      const memberId = seen(ctx, image, pathOf(req, "member"));
      const { status } = parseBody(answerBody, req.body);
      demandAnswer(ctx.actor, memberId);
      return memberJson(await members.answer(ctx, image.id, memberId, status, clock.now()));
    }),
  );
  router.delete(
    "/v2/images/:id/members/:member",
    reply(async (ctx, req) => {
      const image = await shared(ctx, req);
      demandChange(ctx.actor, image, "delete_member");
      await members.remove(ctx, image.id, pathOf(req, "member"));
    }),
  );
  return router;
}
