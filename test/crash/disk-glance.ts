import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Glance, ImageInfo } from "../../pkg/clients/glance/ports.js";
import { GlanceErrors } from "../../pkg/clients/glance/errors.js";
import { fakeGlance } from "../../pkg/clients/glance/testing/fake-glance.js";

/** An image that gets no data, for want of quota. */
export const REFUSED = "5a000000-0000-4000-8000-00000000000f";

/**
 * An Image service of its own process, as far as the killed one can tell: every change is on disk before it
 * is answered. Of data only the size is kept.
 */
export function diskGlance(path: string): Glance & { readonly images: ReadonlyMap<string, ImageInfo> } {
  const fake = fakeGlance();
  const stored = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as ImageInfo[]) : [];
  const empty = { diskFormat: undefined, containerFormat: undefined, sizeBytes: undefined };
  for (const image of stored) fake.add({ ...empty, ...image });
  const saved = async <T>(change: Promise<T>): Promise<T> => {
    const result = await change;
    writeFileSync(
      path,
      JSON.stringify(
        [...fake.images.values()].map((image) => ({
          ...image,
          createdAt: undefined,
          updatedAt: undefined,
        })),
      ),
    );
    return result;
  };
  return {
    ...fake,
    createImage: (ctx, image, caller) => saved(fake.createImage(ctx, image, caller)),
    upload: async (ctx, id, data, caller) => {
      if (id === REFUSED) throw GlanceErrors.IMAGE_QUOTA({});
      return saved(fake.upload(ctx, id, data, caller));
    },
    updateImage: (ctx, id, changes, caller) => saved(fake.updateImage(ctx, id, changes, caller)),
    deleteImage: (ctx, id, caller) => saved(fake.deleteImage(ctx, id, caller)),
  };
}
