import type { Ctx } from "../../../kernel/index.js";
import { rootCtx } from "../../../kernel/index.js";
import { demandChange } from "../domain/policy.js";
import { E } from "../errors.js";
import type { ImageParts } from "../ports.js";

const CLEANUP_MS = 10_000;

/**
 * Takes the data of a queued image: queued → saving → active. The image stays `saving` for exactly one
 * upload; a broken one puts it back to queued and leaves no file.
 * @param announced  bytes the client said it would send; a different number is refused
 * @throws IMAGE_NOT_FOUND, FORBIDDEN, FORMAT_NEEDED, WRONG_STATE, TOO_MUCH, GONE
 */
export async function uploadData(
  parts: ImageParts,
  ctx: Ctx,
  id: string,
  source: AsyncIterable<Uint8Array>,
  announced: number | undefined,
): Promise<void> {
  const { images, files, clock, ids } = parts;
  const image = await images.get(ctx, ctx.actor, id);
  demandChange(ctx.actor, image, "upload_image");
  if (image.diskFormat === null || image.containerFormat === null) throw E.FORMAT_NEEDED({});
  const uploadId = ids.uuid();
  if (!(await images.beginUpload(ctx, id, uploadId, clock.now())))
    throw E.WRONG_STATE({ from: image.status === "queued" ? "saving" : image.status, to: "saving" });
  let stored = false;
  try {
    const facts = await files.write(uploadId, source, image.diskFormat);
    if (announced !== undefined && announced !== facts.size)
      throw E.INVALID({ problem: `The client announced ${announced} bytes and sent ${facts.size}.` });
    stored = await images.finishUpload(ctx, id, uploadId, facts, clock.now());
    if (!stored) throw E.GONE({ id });
    ctx.log.info("image.upload.done", { imageId: id, bytes: facts.size });
  } finally {
    if (!stored) await cleanUp(parts, ctx, id, uploadId);
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
