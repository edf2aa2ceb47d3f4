import { mkdir, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildGuestImage } from "../../../pkg/guestimage/index.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import type { UpOptions } from "./options.js";

/** An image that the cloud starts with. */
export interface DemoImage {
  readonly name: string;
  readonly path: string;
  readonly diskFormat: "raw" | "qcow2";
  readonly properties: Readonly<Record<string, string>>;
}

const BLANK_BYTES = 1 << 20;

/** The small guest made of Debian packages; a blank disk for the fake driver, which boots nothing. */
export async function demoImage(ctx: Ctx, options: UpOptions): Promise<DemoImage> {
  if (options.driver === "fake")
    return { name: "kilonova-blank", path: await blankDisk(options.home), diskFormat: "raw", properties: {} };
  const built = await buildGuestImage(ctx, {
    outDir: join(options.home, "guestimage"),
    cacheDir: join(options.home, "guestimage", "packages"),
    log: ctx.log,
  });
  return {
    name: "kilonova-guest",
    path: built.qcow2Path,
    diskFormat: "qcow2",
    properties: { hw_disk_bus: "virtio", hw_qemu_guest_agent: "yes", os_distro: "debian" },
  };
}

async function blankDisk(home: string): Promise<string> {
  const path = join(home, "blank.raw");
  if (
    await stat(path).then(
      (found) => found.size === BLANK_BYTES,
      () => false,
    )
  )
    return path;
  await mkdir(home, { recursive: true });
  await writeFile(path, "");
  await truncate(path, BLANK_BYTES);
  return path;
}
