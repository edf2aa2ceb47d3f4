import { chmod, chown, open, rename, rm, stat, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { syncPath } from "../../../platform/files/index.js";
import { DriverErrors } from "../errors.js";
import type { RunAs } from "../host/run-as.js";
import type { RunTool } from "../host/run-tool.js";
import type { QemuConfig } from "./config.js";
import type { Definition } from "./definition.js";
import { planDisks } from "./disk-plan.js";
import type { PlannedDisk } from "./disk-plan.js";
import type { GuestPaths } from "./guest-paths.js";

/** Whose disks, and what is known of them. */
export interface DisksToPrepare {
  readonly definition: Definition;
  readonly before: Definition | undefined;
  readonly paths: GuestPaths;
  readonly isRunning: boolean;
}

export interface DiskTools {
  readonly run: RunTool;
  readonly config: Pick<QemuConfig, "qemuImg" | "toolTimeoutMs">;
  /** Who will run QEMU, and so must own the disks. */
  readonly runAs: RunAs | undefined;
}

/**
 * Makes the disks that are not there yet, and lets the others grow to their planned size unless the guest
 * runs; repeatable. Config drives are not made here.
 * @param definition  the guest as it shall be
 * @param before the guest as it was stored: those of its disks that hold data must be there, since an empty
 *   one in their place would pass for them
 * @throws DISK_LOST, DISK_SHRINK_REFUSED
 */
export async function prepareDisks(
  ctx: Ctx,
  { definition, before, paths, isRunning }: DisksToPrepare,
  tools: DiskTools,
): Promise<void> {
  const { instanceUuid } = definition.spec;
  const kept = new Set<PlannedDisk["node"]>(
    before === undefined
      ? []
      : planDisks(before, paths)
          .map(({ node }) => node)
          .filter((node) => node !== "swap"),
  );
  for (const disk of planDisks(definition, paths)) {
    if (disk.node === "config") continue;
    if (await exists(disk.path)) {
      if (!isRunning) await (disk.format === "qcow2" ? growOverlay(ctx, disk, tools) : growRaw(disk));
    } else if (kept.has(disk.node)) {
      throw DriverErrors.DISK_LOST({ instanceUuid, disk: disk.node });
    } else {
      await create(ctx, disk, tools);
    }
  }
}

/** Made under another name first: a disk that is there is whole. */
async function create(ctx: Ctx, disk: PlannedDisk, tools: DiskTools): Promise<void> {
  const temporary = `${disk.path}.tmp`;
  await rm(temporary, { force: true });
  if (disk.format === "qcow2") await createOverlay(ctx, disk, temporary, tools);
  else await createRaw(ctx, disk, temporary, tools);
  await chmod(temporary, 0o600);
  if (tools.runAs) await chown(temporary, tools.runAs.uid, tools.runAs.gid);
  await syncPath(temporary);
  await rename(temporary, disk.path);
  await syncPath(dirname(disk.path));
}

async function createOverlay(
  ctx: Ctx,
  disk: PlannedDisk,
  path: string,
  { run, config }: DiskTools,
): Promise<void> {
  // The base's format is always said (-F): a guest that writes a qcow2 header into its raw disk must gain
  // nothing.
  const base = disk.base === undefined ? [] : ["-b", disk.base, "-F", "raw"];
  await run(ctx, [config.qemuImg, "create", "-q", "-f", "qcow2", ...base, path, String(disk.sizeBytes)], {
    timeoutMs: config.toolTimeoutMs,
  });
}

async function createRaw(
  ctx: Ctx,
  disk: PlannedDisk,
  path: string,
  { run, config }: DiskTools,
): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.truncate(disk.sizeBytes);
  } finally {
    await file.close();
  }
  const format =
    disk.node === "swap"
      ? ["mkswap", "-q", path]
      : ["mke2fs", "-q", "-F", "-t", "ext4", "-L", disk.node, path];
  await run(ctx, format, { timeoutMs: config.toolTimeoutMs });
}

async function growOverlay(ctx: Ctx, disk: PlannedDisk, { run, config }: DiskTools): Promise<void> {
  const haveBytes = await qcow2SizeBytes(disk.path);
  if (haveBytes > disk.sizeBytes)
    throw DriverErrors.DISK_SHRINK_REFUSED({ haveBytes, wantBytes: disk.sizeBytes });
  if (haveBytes === disk.sizeBytes) return;
  await run(ctx, [config.qemuImg, "resize", "-q", "-f", "qcow2", disk.path, String(disk.sizeBytes)], {
    timeoutMs: config.toolTimeoutMs,
  });
}

async function growRaw(disk: PlannedDisk): Promise<void> {
  const { size } = await stat(disk.path);
  if (size > disk.sizeBytes)
    throw DriverErrors.DISK_SHRINK_REFUSED({ haveBytes: size, wantBytes: disk.sizeBytes });
  if (size < disk.sizeBytes) await truncate(disk.path, disk.sizeBytes);
}

/** Virtual size from the header of an overlay that we made ourselves. */
export async function qcow2SizeBytes(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    const header = Buffer.alloc(32);
    await file.read(header, 0, 32, 0);
    return Number(header.readBigUInt64BE(24));
  } finally {
    await file.close();
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
