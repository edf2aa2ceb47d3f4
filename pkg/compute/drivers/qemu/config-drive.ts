import { chmod, chown, mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { syncPath } from "../../../platform/files/index.js";
import { DriverErrors } from "../errors.js";
import type { Isolation } from "../host/isolation.js";
import type { RunAs } from "../host/run-as.js";
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
  readonly isolation: Pick<Isolation, "tool">;
  /** The guest's: it owns the image, and the tools run as it. */
  readonly user: RunAs | undefined;
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
    if (tools.user) for (const path of [work, ...(await below(tree))]) await letRead(path, tools.user);
    const file = await open(image, "wx", 0o600);
    try {
      if (tools.format === "vfat") await file.truncate(VFAT_KIB * 1024);
      if (tools.user) await file.chown(tools.user.uid, tools.user.gid);
    } finally {
      await file.close();
    }
    await make[tools.format](ctx, tree, image, tools);
    await syncPath(image);
    await rename(image, target);
    await syncPath(dirname(target));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

type Make = (ctx: Ctx, tree: string, image: string, tools: ConfigDriveTools) => Promise<void>;

/** The tools fill a file that is there and read the tree; they see nothing else. */
const make: Readonly<Record<ConfigDriveFormat, Make>> = {
  iso9660: async (ctx, tree, image, { run, xorriso, timeoutMs, isolation, user }) => {
    const names = ["-r", "-J", "-joliet-long", "-V", CONFIG_DRIVE_LABEL];
    await run(ctx, [xorriso, "-as", "mkisofs", "-quiet", ...names, "-o", image, tree], {
      timeoutMs,
      within: isolation.tool({ user, readable: [tree], writable: [image] }),
    });
  },
  vfat: async (ctx, tree, image, { run, timeoutMs, isolation, user }) => {
    const within = isolation.tool({ user, readable: [tree], writable: [image] });
    await run(ctx, ["mkfs.fat", "-n", CONFIG_DRIVE_LABEL, image], { timeoutMs, within });
    const roots = (await readdir(tree)).map((name) => join(tree, name));
    if (roots.length > 0)
      await run(ctx, ["mcopy", "-Q", "-s", "-i", image, ...roots, "::/"], { timeoutMs, within });
  },
};

/** The folder and all in it. */
async function below(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const inside = await Promise.all(
    entries.map(async (entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? below(path) : [path];
    }),
  );
  return [dir, ...inside.flat()];
}

/** The guest's user may read what remains the agent's. */
async function letRead(path: string, { gid }: RunAs): Promise<void> {
  await chown(path, 0, gid);
  await chmod(path, (await stat(path)).isDirectory() ? 0o750 : 0o640);
}

function safeRelative(path: string): string {
  const clean = normalize(path);
  if (clean.startsWith("/") || clean.split("/").includes("..") || clean.includes("\0"))
    throw DriverErrors.TOOL_FAILED({ tool: "config drive" });
  return clean;
}
