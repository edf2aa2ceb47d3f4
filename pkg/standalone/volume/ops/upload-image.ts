import { KilonovaError } from "../../../kernel/index.js";
import type { Ctx } from "../../../kernel/index.js";
import { getVolume, updateVolume } from "../adapters/sql/volumes.js";
import type { Volume } from "../domain/model.js";
import type { NewImage, VolumeParts } from "../ports.js";
import { discard, queueVolume } from "./volume-tasks.js";

/** What of an image's record a volume's metadata may not set again. */
const CORE = new Set([
  "image_id",
  "image_name",
  "checksum",
  "size",
  "min_disk",
  "min_ram",
  "disk_format",
  "container_format",
]);

/** What becomes of a volume that is another by the time that its image has a record. */
const REFUSED: ReadonlySet<string> = new Set(["invalid", "missing"]);

/**
 * Makes an image's record for the caller, and has the volume's content put into it.
 * @throws VOLUME_NOT_FOUND, what `check` throws, and what the Image service refuses
 */
export async function uploadToImage(
  parts: VolumeParts,
  ctx: Ctx,
  volumeId: string,
  wish: Pick<NewImage, "name" | "diskFormat" | "visibility" | "protected"> & {
    readonly check: (volume: Volume) => void;
  },
): Promise<{ readonly volume: Volume; readonly imageId: string; readonly image: NewImage }> {
  const { db, clock, images } = parts;
  const { check, ...named } = wish;
  const volume = await db.statement(ctx, "volume.get", (tx) => getVolume(tx, ctx.actor, volumeId));
  check(volume);
  const properties = Object.entries(volume.imageMetadata).filter(([key]) => !CORE.has(key));
  const image: NewImage = {
    ...named,
    containerFormat: "bare",
    properties: Object.fromEntries(properties),
  };
  const imageId = await images.create(ctx, ctx.actor, image);
  try {
    await db.write(ctx, "volume.upload", async (tx) => {
      const now = await getVolume(tx, ctx.actor, volumeId);
      check(now);
      await updateVolume(
        tx,
        volumeId,
        {
          status: "uploading",
          previousStatus: now.status,
          task: { kind: "upload", imageId, diskFormat: wish.diskFormat },
        },
        clock.now(),
      );
    });
  } catch (error) {
    // Of anything else it is not known whether it was stored.
    if (error instanceof KilonovaError && REFUSED.has(error.kind)) await discard(parts, ctx, imageId);
    throw error;
  }
  queueVolume(parts, volumeId);
  return { volume, imageId, image };
}
