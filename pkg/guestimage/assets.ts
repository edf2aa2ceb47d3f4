import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GuestImageErrors } from "./errors.js";

/**
 * The folder with the guest's own files. Works from the source tree and from a bundle in `dist/`: it looks
 * upwards from this module for `pkg/guestimage/rootfs`.
 * @throws ASSETS_MISSING when the program was installed without that folder
 */
export function assetsDir(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let dir = start; ; dir = dirname(dir)) {
    for (const candidate of [join(dir, "rootfs"), join(dir, "pkg", "guestimage", "rootfs")]) {
      if (existsSync(join(candidate, "init"))) return candidate;
    }
    if (dir === dirname(dir)) throw GuestImageErrors.ASSETS_MISSING({ from: start });
  }
}
