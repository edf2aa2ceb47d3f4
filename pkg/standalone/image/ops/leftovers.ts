import type { Ctx, Logger } from "../../../kernel/index.js";
import { rootCtx } from "../../../kernel/index.js";
import type { ImageParts } from "../ports.js";
import { settle } from "./upload.js";

type Parts = Pick<ImageParts, "images" | "files" | "uploads" | "clock" | "ids">;

/** How often images are looked for whose upload nobody works at. */
const IMAGES_EVERY_MS = 30_000;
/** How often files are looked for that belong to no image, in such looks. */
const FILES_EVERY = 20;

/** Puts images back to queued whose upload was begun or broke off without anybody seeing it. */
export async function putBack(parts: Parts, ctx: Ctx): Promise<void> {
  for (const { id, uploadId } of await parts.images.saving(ctx))
    if (!parts.uploads.has(uploadId)) await settle(parts, ctx, id, uploadId);
}

/** Removes the data of images that are gone, and of uploads that came to nothing. */
export async function sweepFiles({ images, files, uploads }: Parts, ctx: Ctx): Promise<void> {
  await files.sweep(async (uploadIds) => {
    // Before the database is asked: what has ended by now is to be seen there.
    const underWay = uploadIds.filter((id) => uploads.has(id));
    return new Set([...underWay, ...(await images.owned(ctx, uploadIds))]);
  });
}

/**
 * Clears away, until the signal, what uploads and deletions left whose end nobody saw: the client went away
 * during the commit, or the database did.
 * @cost one statement per half a minute; one per 500 files and ten minutes
 */
export async function clearLeftovers(
  parts: Parts,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  for (let look = 1; ; look++) {
    await parts.clock.sleep(IMAGES_EVERY_MS, signal).catch(() => {});
    if (signal.aborted) return;
    const ctx = rootCtx({ requestId: `req-${parts.ids.uuid()}`, log, signal });
    try {
      await putBack(parts, ctx);
      if (look % FILES_EVERY === 0) await sweepFiles(parts, ctx);
    } catch (error) {
      if (!signal.aborted) log.warn("image.leftovers.unseen", { error });
    }
  }
}
