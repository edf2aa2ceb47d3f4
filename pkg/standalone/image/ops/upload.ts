import type { Ctx } from "../../../kernel/index.js";
import { rootCtx } from "../../../kernel/index.js";
import { demandChange } from "../domain/policy.js";
import { E } from "../errors.js";
import { admission } from "./admission.js";
import type { Admission } from "./admission.js";
import type { ImageParts } from "../ports.js";

const CLEANUP_MS = 10_000;

/** What a client sends. */
export interface UploadedData {
  readonly source: AsyncIterable<Uint8Array>;
  /** Bytes it said it would send; a different number is refused. */
  readonly announced: number | undefined;
}

/**
 * Takes the data of a queued image: queued → saving → active. The image stays `saving` for exactly one
 * upload; a broken one puts it back to queued and leaves no file.
 * @param given  admission for data that no project's quota counts
 * @throws IMAGE_NOT_FOUND, FORBIDDEN, FORMAT_NEEDED, WRONG_STATE, TOO_MUCH, OVER_LIMIT, DISK_FULL, GONE
 */
export async function uploadData(
  parts: ImageParts,
  ctx: Ctx,
  id: string,
  { source, announced }: UploadedData,
  given?: Admission,
): Promise<void> {
  const { images, files, clock, ids, limits } = parts;
  const image = await images.get(ctx, ctx.actor, id);
  demandChange(ctx.actor, image, "upload_image");
  if (image.diskFormat === null || image.containerFormat === null) throw E.FORMAT_NEEDED({});
  if (image.status !== "queued") throw E.WRONG_STATE({ from: image.status, to: "saving" });
  if ((announced ?? 0) > limits.imageSizeCap)
    throw E.TOO_MUCH({ what: "image size in bytes", limit: limits.imageSizeCap });
  const admitted = given ?? (await admission(parts, ctx, image, announced));
  const uploadId = ids.uuid();
  let stored = false;
  parts.uploads.add(uploadId);
  try {
    if (!(await images.beginUpload(ctx, id, uploadId, clock.now())))
      throw E.WRONG_STATE({ from: "saving", to: "saving" });
    const facts = await files.write(uploadId, source, image.diskFormat, admitted.admit);
    if (announced !== undefined && announced !== facts.size)
      throw E.INVALID({ problem: `The client announced ${announced} bytes and sent ${facts.size}.` });
    stored = await images.finishUpload(ctx, id, uploadId, facts, clock.now());
    if (!stored) throw E.GONE({ id });
    ctx.log.info("image.upload.done", { imageId: id, bytes: facts.size });
  } catch (error) {
    stored = await settle(parts, ctx, id, uploadId);
    if (!stored) throw error;
  } finally {
    parts.uploads.delete(uploadId);
    admitted.end(stored);
  }
}

/**
 * Ends an upload that broke, or whose end nobody has seen: the database may have stored it while the request
 * was called off. Repeatable.
 * @returns whether the data is the image's all the same
 */
export async function settle(
  { images, files, clock }: Pick<ImageParts, "images" | "files" | "clock">,
  ctx: Ctx,
  id: string,
  uploadId: string,
): Promise<boolean> {
  // The request may be over (that may be why we are here), so this has a context of its own.
  const own = rootCtx({ requestId: ctx.requestId, log: ctx.log, deadlineMs: Date.now() + CLEANUP_MS });
  try {
    if (!(await images.abandonUpload(own, id, uploadId, clock.now()))) return true;
    await files.remove(uploadId);
  } catch (error) {
    // It is found again by `clearLeftovers`.
    ctx.log.warn("image.upload.cleanup.failed", { imageId: id, error });
  }
  return false;
}
