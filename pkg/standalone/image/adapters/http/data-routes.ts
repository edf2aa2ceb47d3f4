import { Router } from "express";
import type { Request } from "express";
import { pipeline } from "node:stream/promises";
import { E } from "../../errors.js";
import { uploadData } from "../../ops/upload.js";
import type { ImageParts } from "../../ports.js";
import { imageId, reply } from "./common.js";

/** Up- and download of image data, streamed; mounted before anything that parses bodies. */
export function dataRoutes(parts: ImageParts): Router {
  const { images, files } = parts;
  const router = Router();
  router.put(
    "/v2/images/:id/file",
    reply(async (ctx, req, res) => {
      if ((req.get("content-type") ?? "").split(";")[0]?.trim() !== "application/octet-stream")
        throw E.MEDIA_TYPE({});
      // Whoever stops reading early still gets an answer, on a connection that ends with it: the rest of the
      // body is not wanted.
      await uploadData(parts, ctx, imageId(req), {
        source: req.iterator({ destroyOnReturn: false }),
        announced: announcedSize(req),
      }).catch((error: unknown) => {
        if (!req.complete) res.setHeader("Connection", "close");
        throw error;
      });
    }),
  );
  router.get(
    "/v2/images/:id/file",
    reply(async (ctx, req, res) => {
      const image = await images.get(ctx, ctx.actor, imageId(req));
      if (image.status === "deactivated" && !ctx.actor.roles.includes("admin")) throw E.DEACTIVATED({});
      if (image.uploadId === null || image.size === null || image.status === "saving") return undefined;
      const range = readRange(req.get("range"), image.size);
      if (range === "unsatisfiable") {
        res.setHeader("Content-Range", `bytes */${image.size}`);
        res.status(416).end();
        return undefined;
      }
      res.setHeader("Content-Type", "application/octet-stream");
      res.setHeader("Content-Length", range ? range.end - range.start + 1 : image.size);
      if (range) {
        res.status(206).setHeader("Content-Range", `bytes ${range.start}-${range.end}/${image.size}`);
      } else if (image.checksum !== null) {
        res.setHeader("Content-MD5", image.checksum);
      }
      if (req.method === "HEAD" || image.size === 0) {
        res.end();
        return undefined;
      }
      // A download that breaks off is the client's to notice: the length is announced and the socket is
      // closed.
      await pipeline(files.read(image.uploadId, range), res);
      return undefined;
    }),
  );
  return router;
}

function announcedSize(req: Request): number | undefined {
  const text = req.get("x-openstack-image-size") ?? req.get("content-length");
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw E.INVALID({ problem: "x-openstack-image-size must be a number of bytes." });
  return Number(text);
}

/** One range of bytes; anything else in the header is ignored, as RFC 9110 allows. */
export function readRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [, first = "", last = ""] = match;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start > end || start >= size ? "unsatisfiable" : { start, end };
}
