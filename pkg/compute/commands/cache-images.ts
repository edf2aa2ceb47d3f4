import type { ImageFailure } from "../../../gen/kilonova/compute/v1/commands.js";
import { CacheImagesInput, CacheImagesOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { ImageRef } from "../../../gen/kilonova/type/v1/server_spec.js";
import { asKilonovaError, isRetryable } from "../../kernel/index.js";
import type { Command } from "./command.js";

/**
 * Brings images into the host's cache, one after the other. One that cannot be had does not stop the others;
 * while the Image service is away, the command as a whole fails, to be tried again.
 */
const cacheImages: Command<CacheImagesInput, CacheImagesOutput> = {
  name: "cache-images",
  subject: "host",
  input: CacheImagesInput,
  output: CacheImagesOutput,
  whenGivenUp: "stops",
  async run({ ctx, host }, { imageIds, images }) {
    const fetchedIds: string[] = [];
    const failures: ImageFailure[] = [];
    const accepted = images.length > 0 ? images : imageIds.map((id) => ImageRef.fromPartial({ id }));
    for (const image of accepted) {
      const imageId = image.id;
      ctx.signal.throwIfAborted();
      try {
        if (await host.cacheImage(ctx, image)) fetchedIds.push(imageId);
      } catch (error) {
        if (ctx.signal.aborted || isRetryable(error)) throw error;
        const { reason, message } = asKilonovaError(error);
        failures.push({ imageId, reason, message });
      }
    }
    return { fetchedIds, failures };
  },
};
export default cacheImages;
