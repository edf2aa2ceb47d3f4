import { chmod, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { syncPath } from "../../../platform/files/index.js";
import { DriverErrors } from "../errors.js";
import type { RunTool } from "../host/run-tool.js";

/** Guests find their config drive by this volume label. */
const CONFIG_DRIVE_LABEL = "config-2";

/** File systems of config drives; Nova's `config_drive_format`. */
export const configDriveFormats = ["iso9660", "vfat"] as const;
export type ConfigDriveFormat = (typeof configDriveFormats)[number];

export interface ConfigDriveTools {
  readonly run: RunTool;
  readonly xorriso: string;
  readonly timeoutMs: number;
  readonly format: ConfigDriveFormat;
}

/** A vfat drive has this size whatever is on it; the file is sparse. @source nova configdrive */
const VFAT_KIB = 64 * 1024;

/**
 * Writes the files into an image at `target`, as a whole or not at all: ISO 9660 with Rock Ridge and Joliet
 * names, or vfat. It may hold the admin password: only the owner can read the image, and the plain files
 * exist only while this runs.
 * @throws TOOL_FAILED, also when vfat has not enough room
 */
export async function writeConfigDrive(
  ctx: Ctx,
  files: ReadonlyMap<string, Uint8Array>,
  target: string,
  tools: ConfigDriveTools,
): Promise<void> {
  const work = `${target}.tmp`;
  const [tree, image] = [join(work, "files"), join(work, "image")];
  await rm(work, { recursive: true, force: true });
  try {
    await mkdir(tree, { recursive: true, mode: 0o700 });
    for (const [path, bytes] of files) {
      const at = join(tree, safeRelative(path));
      await mkdir(dirname(at), { recursive: true, mode: 0o700 });
      await writeFile(at, bytes, { mode: 0o600 });
    }
    await make[tools.format](ctx, tree, image, tools);
    await chmod(image, 0o600);
    await syncPath(image);
    await rename(image, target);
    await syncPath(dirname(target));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

type Make = (ctx: Ctx, tree: string, image: string, tools: ConfigDriveTools) => Promise<void>;

const make: Readonly<Record<ConfigDriveFormat, Make>> = {
  iso9660: async (ctx, tree, image, { run, xorriso, timeoutMs }) => {
    await run(
      ctx,
      [
        xorriso,
        "-as",
        "mkisofs",
        "-quiet",
        "-r",
        "-J",
        "-joliet-long",
        "-V",
        CONFIG_DRIVE_LABEL,
        "-o",
        image,
        tree,
      ],
      { timeoutMs },
    );
  },
  vfat: async (ctx, tree, image, { run, timeoutMs }) => {
    await run(ctx, ["mkfs.fat", "-n", CONFIG_DRIVE_LABEL, "-C", image, String(VFAT_KIB)], { timeoutMs });
    const roots = (await readdir(tree)).map((name) => join(tree, name));
    if (roots.length > 0) await run(ctx, ["mcopy", "-Q", "-s", "-i", image, ...roots, "::/"], { timeoutMs });
  },
};

function safeRelative(path: string): string {
  const clean = normalize(path);
  if (clean.startsWith("/") || clean.split("/").includes("..") || clean.includes("\0"))
    throw DriverErrors.TOOL_FAILED({ tool: "config drive" });
  return clean;
}
