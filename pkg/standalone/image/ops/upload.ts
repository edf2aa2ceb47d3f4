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
  let begun = false;
  try {
    begun = await images.beginUpload(ctx, id, uploadId, clock.now());
  } finally {
    if (!begun) admitted.end(false);
  }
  if (!begun) throw E.WRONG_STATE({ from: "saving", to: "saving" });
  let stored = false;
  try {
    const facts = await files.write(uploadId, source, image.diskFormat, admitted.admit);
    if (announced !== undefined && announced !== facts.size)
      throw E.INVALID({ problem: `The client announced ${announced} bytes and sent ${facts.size}.` });
    stored = await images.finishUpload(ctx, id, uploadId, facts, clock.now());
    if (!stored) throw E.GONE({ id });
    ctx.log.info("image.upload.done", { imageId: id, bytes: facts.size });
  } finally {
    if (!stored) await cleanUp(parts, ctx, id, uploadId);
    admitted.end(stored);
  }
}

/** The request may be over (that may be why we are here), so this has a context of its own. */
async function cleanUp(
  { images, files, clock }: ImageParts,
  ctx: Ctx,
  id: string,
  uploadId: string,
): Promise<void> {
  const own = rootCtx({ requestId: ctx.requestId, log: ctx.log, deadlineMs: Date.now() + CLEANUP_MS });
  try {
    await images.abandonUpload(own, id, uploadId, clock.now());
    await files.remove(uploadId);
  } catch (error) {
    // The next start's recovery does the same.
    ctx.log.warn("image.upload.cleanup.failed", { imageId: id, error });
  }
}
