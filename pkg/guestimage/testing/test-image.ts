import { dirname, join } from "node:path";
import { rootCtx, silentLogger } from "../../kernel/index.js";
import { assetsDir } from "../assets.js";
import { buildGuestImage } from "../build.js";
import type { GuestImage } from "../build.js";

let building: Promise<GuestImage> | undefined;

/**
 * The guest image for tests, built once into the project's `.cache/guestimage` and shared by all test runs.
 */
export function testGuestImage(): Promise<GuestImage> {
  const project = dirname(dirname(dirname(assetsDir())));
  const cache = join(project, ".cache", "guestimage");
  building ??= buildGuestImage(rootCtx({ requestId: "req-test" }), {
    outDir: cache,
    cacheDir: join(cache, "packages"),
    log: silentLogger,
  });
  return building;
}
