import { intervalMs } from "./options.js";
import type { PeriodicTask } from "./periodic-task.js";

const HOUR_MS = 3_600_000;

/** Base images that nobody needs any more. */
export const imageAgeing: PeriodicTask = {
  name: "image-ageing",
  does: "removes base images that no guest uses and nobody has asked for of late",
  nova: "_run_image_cache_manager_pass",
  atStart: false,
  everyMs: ({ imageCacheManagerIntervalS }) => intervalMs(imageCacheManagerIntervalS),
  async run(ctx, { images, config, own }) {
    await images.age?.(ctx, {
      usedBy: async () => own.driver.imagesInUse?.() ?? new Set(),
      minAgeMs: config.removeUnusedBaseImages ? config.imageKeepHours * HOUR_MS : Infinity,
    });
  },
};
