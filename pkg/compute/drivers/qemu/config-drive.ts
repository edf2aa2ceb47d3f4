import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import { syncPath } from "../host/atomic-file.js";
import type { RunTool } from "../host/run-tool.js";

/** Guests find their config drive by this volume label. */
export const CONFIG_DRIVE_LABEL = "config-2";

/**
 * Writes the files into an ISO 9660 image (with Rock Ridge and Joliet names) at `target`, as a whole or not at all.
 * The plain files exist only while this runs: they may hold the admin password.
 */
export async function writeConfigDrive(
  ctx: Ctx, files: ReadonlyMap<string, Uint8Array>, target: string, tool: { readonly run: RunTool; readonly xorriso: string; readonly timeoutMs: number },
): Promise<void> {
  const tree = `${target}.files`;
  const image = `${target}.tmp`;
  await Promise.all([tree, image].map((path) => rm(path, { recursive: true, force: true })));
  try {
    await mkdir(tree, { mode: 0o700 });
    for (const [path, bytes] of files) {
      const at = join(tree, safeRelative(path));
      await mkdir(dirname(at), { recursive: true, mode: 0o700 });
      await writeFile(at, bytes, { mode: 0o600 });
    }
    await tool.run(ctx, [tool.xorriso, "-as", "mkisofs", "-quiet", "-r", "-J", "-joliet-long", "-V", CONFIG_DRIVE_LABEL, "-o", image, tree],
      { timeoutMs: tool.timeoutMs });
    await syncPath(image);
    await rename(image, target);
    await syncPath(dirname(target));
  } finally {
    await Promise.all([tree, image].map((path) => rm(path, { recursive: true, force: true })));
  }
}

function safeRelative(path: string): string {
  const clean = normalize(path);
  if (clean.startsWith("/") || clean.split("/").includes("..") || clean.includes("\0")) throw DriverErrors.TOOL_FAILED({ tool: "config drive" });
  return clean;
}
