import type { Ctx } from "../../../kernel/index.js";
import type { Attributes } from "../domain/model.js";
import { E } from "../errors.js";
import type { ImageParts } from "../ports.js";

/**
 * Stores a new image if its owner may have one more. Images of one owner are counted and stored one after the
 * other; in the database they would meet as conflicts, and those of other projects too.
 * @throws IMAGE_EXISTS, OVER_LIMIT
 */
export async function newImage(
  { images, limits, clock, lanes }: ImageParts,
  ctx: Ctx,
  id: string,
  attributes: Attributes,
): Promise<void> {
  const { owner } = attributes;
  const { imageCountTotal } = limits;
  if (owner === null || imageCountTotal < 0) return images.insert(ctx, id, attributes, clock.now());
  await lanes.run(owner, async () => {
    ctx.signal.throwIfAborted();
    if ((await images.usage(ctx, owner)).images >= imageCountTotal)
      throw E.OVER_LIMIT({ limit: "image_count_total", value: imageCountTotal });
    await images.insert(ctx, id, attributes, clock.now());
  });
}
