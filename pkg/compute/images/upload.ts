import type { Glance } from "../../clients/glance/ports.js";
import { GlanceErrors } from "../../clients/glance/errors.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { isRetryable } from "../../kernel/index.js";
import type { SnapshotData, Tell, UploadPhase } from "../driver.js";

/** Waits before each further attempt, ms: some minutes in all. */
const AGAIN_MS: readonly number[] = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 60_000];

/** What uploads need. */
export interface UploadDeps {
  readonly glance: Pick<Glance, "getImage" | "upload">;
  readonly clock: Pick<Clock, "sleep">;
}

/**
 * Gives queued images their data, in the rights of the service. Data is streamed: what is in memory does not
 * grow with it.
 */
export const imageUploads = ({
  glance,
  clock,
}: UploadDeps): {
  upload(
    ctx: Ctx,
    imageId: string,
    open: () => Promise<SnapshotData>,
    tell: Tell<UploadPhase>,
  ): Promise<void>;
} => ({
  async upload(ctx, imageId, open, tell) {
    for (const waitMs of [...AGAIN_MS, undefined]) {
      ctx.signal.throwIfAborted();
      try {
        const { status } = await glance.getImage(ctx, imageId);
        // By an earlier start, whose end nobody was told.
        if (status === "active") return;
        // An upload that broke off may still be on its way back to queued.
        if (status !== "queued" && status !== "saving") throw GlanceErrors.IMAGE_CONFLICT({ id: imageId });
        if (status === "queued") {
          const { sizeBytes, data } = await open();
          await glance.upload(ctx, imageId, counted(ctx, data, sizeBytes, tell));
          return;
        }
      } catch (error) {
        if (ctx.signal.aborted || !isRetryable(error) || waitMs === undefined) throw error;
        ctx.log.warn("compute.image.upload-broken", { imageId, error });
      }
      if (waitMs !== undefined) await clock.sleep(waitMs, ctx.signal);
    }
    throw GlanceErrors.IMAGE_CONFLICT({ id: imageId });
  },
});

/** Tells what passes. */
async function* counted(
  ctx: Ctx,
  data: AsyncIterable<Uint8Array>,
  total: number,
  tell: Tell<UploadPhase>,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of data) {
    ctx.signal.throwIfAborted();
    yield chunk;
    done += chunk.length;
    tell({ phase: "image_upload", done, total });
  }
}
