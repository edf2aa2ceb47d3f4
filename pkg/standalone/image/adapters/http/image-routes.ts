import { Router } from "express";
import type { Request, RequestHandler } from "express";
import { parseUuid } from "../../../../kernel/index.js";
import { baseUrlOf, jsonBody, pathOf, queryOf } from "../../../../platform/http/index.js";
import { applyChanges, readNewImage, tagList } from "../../domain/attributes.js";
import { readPatch } from "../../domain/patch.js";
import { canWrite, demandChange } from "../../domain/policy.js";
import { readListQuery } from "../../domain/query.js";
import { imageJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import { newImage } from "../../ops/new-image.js";
import type { ImageParts } from "../../ports.js";
import { imageId, reply } from "./common.js";

const BODY_LIMIT = 1024 * 1024;
const PATCH_TYPE = /^application\/openstack-images-v2\.([01])-json-patch$/;

export function imageRoutes(parts: ImageParts): Router {
  const { images, files, clock, ids, ledger } = parts;
  const router = Router();
  const body = jsonBody(BODY_LIMIT);
  router.get(
    "/v2/images",
    reply(async (ctx, req) => {
      const query = readListQuery(queryOf(req));
      const found = await images.list(ctx, ctx.actor, query);
      const last = found.at(-1);
      return {
        images: found.map(imageJson),
        schema: "/v2/schemas/images",
        first: pageUrl(req, undefined),
        ...(last && found.length === query.limit ? { next: pageUrl(req, last.id) } : {}),
      };
    }),
  );
  router.post(
    "/v2/images",
    body,
    reply(async (ctx, req, res) => {
      if (!canWrite(ctx.actor)) throw E.FORBIDDEN({ action: "add_image" });
      const wish = objectBody(req.body);
      const id = readId(wish["id"]) ?? ids.uuid();
      const attributes = readNewImage(wish, ctx.actor);
      await newImage(parts, ctx, id, attributes);
      res.setHeader("Location", `${baseUrlOf(req)}/v2/images/${id}`);
      res.setHeader("OpenStack-image-import-methods", "");
      // Its owner may be another project; the maker still gets to see what was made.
      return imageJson(await images.get(ctx, { ...ctx.actor, projectId: attributes.owner ?? "" }, id));
    }, 201),
  );
  router.get(
    "/v2/images/:id",
    reply(async (ctx, req) => imageJson(await images.get(ctx, ctx.actor, imageId(req)))),
  );
  router.patch(
    "/v2/images/:id",
    patchType,
    body,
    reply(async (ctx, req) => {
      const changes = readPatch(req.body, PATCH_TYPE.exec(mediaType(req))?.[1] === "0");
      return imageJson(
        await images.update(ctx, ctx.actor, imageId(req), clock.now(), (image) => {
          demandChange(ctx.actor, image, "modify_image");
          return applyChanges(image, changes, ctx.actor);
        }),
      );
    }),
  );
  router.delete(
    "/v2/images/:id",
    reply(async (ctx, req) => {
      const gone = await images.remove(ctx, ctx.actor, imageId(req), (image) => {
        demandChange(ctx.actor, image, "delete_image");
        if (image.protected) throw E.PROTECTED({ id: image.id });
      });
      ledger.release(gone.owner, gone.size ?? 0);
      // An upload under way finds its image gone and cleans up after itself.
      if (gone.uploadId !== null && gone.status !== "saving") await files.remove(gone.uploadId);
    }),
  );
  router.put(
    "/v2/images/:id/tags/:tag",
    reply(async (ctx, req) => {
      await images.update(ctx, ctx.actor, imageId(req), clock.now(), (image) => {
        demandChange(ctx.actor, image, "modify_image");
        return { ...image, tags: tagList([...image.tags, pathOf(req, "tag")]) };
      });
    }),
  );
  router.delete(
    "/v2/images/:id/tags/:tag",
    reply(async (ctx, req) => {
      const tag = pathOf(req, "tag");
      await images.update(ctx, ctx.actor, imageId(req), clock.now(), (image) => {
        demandChange(ctx.actor, image, "modify_image");
        if (!image.tags.includes(tag)) throw E.TAG_NOT_FOUND({ tag });
        return { ...image, tags: image.tags.filter((one) => one !== tag) };
      });
    }),
  );
  for (const [action, from, to] of [
    ["deactivate", "active", "deactivated"],
    ["reactivate", "deactivated", "active"],
  ] as const) {
    router.post(
      `/v2/images/:id/actions/${action}`,
      reply(async (ctx, req) => {
        const image = await images.get(ctx, ctx.actor, imageId(req));
        demandChange(ctx.actor, image, `${action}_image`);
        if (image.status === to || (await images.transition(ctx, image.id, from, to, clock.now()))) return;
        throw E.FORBIDDEN({ action: `${action} (status is ${image.status})` });
      }),
    );
  }
  return router;
}

/** Before the body is read: what is no JSON patch is refused by its media type. */
const patchType: RequestHandler = (req, _res, next) =>
  next(PATCH_TYPE.test(mediaType(req)) ? undefined : E.MEDIA_TYPE({}));

function pageUrl(req: Request, marker: string | undefined): string {
  const at = req.originalUrl.indexOf("?");
  const params = new URLSearchParams(at < 0 ? "" : req.originalUrl.slice(at + 1));
  params.delete("marker");
  if (marker !== undefined) params.set("marker", marker);
  const text = params.toString();
  return text === "" ? "/v2/images" : `/v2/images?${text}`;
}

const mediaType = (req: Request): string =>
  (req.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";

function objectBody(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw E.INVALID({ problem: "The request body must be a JSON object." });
  return body as Readonly<Record<string, unknown>>;
}

function readId(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const id = typeof value === "string" ? parseUuid(value) : undefined;
  if (id === undefined) throw E.INVALID({ problem: "Invalid image id format" });
  return id;
}
