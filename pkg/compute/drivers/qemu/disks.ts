import { chmod, chown, open, rename, rm, stat, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import { syncPath } from "../host/atomic-file.js";
import type { RunAs } from "../host/run-as.js";
import type { RunTool } from "../host/run-tool.js";
import type { QemuConfig } from "./config.js";
import type { PlannedDisk } from "./disk-plan.js";

export interface DiskTools {
  readonly run: RunTool;
  readonly config: Pick<QemuConfig, "qemuImg" | "toolTimeoutMs">;
  /** Who will run QEMU, and so must own the disks. */
  readonly runAs: RunAs | undefined;
}

/**
 * Makes the disk, or grows it to the planned size; repeatable. The config drive is not made here.
 * @throws DISK_SHRINK_REFUSED
 */
export async function prepareDisk(ctx: Ctx, disk: PlannedDisk, tools: DiskTools): Promise<void> {
  if (!await exists(disk.path)) await create(ctx, disk, tools);
  else if (disk.format === "qcow2") await growOverlay(ctx, disk, tools);
  else await growRaw(disk);
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

async function createOverlay(ctx: Ctx, disk: PlannedDisk, path: string, { run, config }: DiskTools): Promise<void> {
  // The base's format is always said (-F): a guest that writes a qcow2 header into its raw disk must gain nothing.
  const base = disk.base === undefined ? [] : ["-b", disk.base, "-F", "raw"];
  await run(ctx, [config.qemuImg, "create", "-q", "-f", "qcow2", ...base, path, String(disk.sizeBytes)], { timeoutMs: config.toolTimeoutMs });
}

async function createRaw(ctx: Ctx, disk: PlannedDisk, path: string, { run, config }: DiskTools): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.truncate(disk.sizeBytes);
  } finally {
    await file.close();
  }
  const format = disk.node === "swap" ? ["mkswap", "-q", path] : ["mke2fs", "-q", "-F", "-t", "ext4", "-L", disk.node, path];
  await run(ctx, format, { timeoutMs: config.toolTimeoutMs });
}

async function growOverlay(ctx: Ctx, disk: PlannedDisk, { run, config }: DiskTools): Promise<void> {
  const haveBytes = await qcow2SizeBytes(disk.path);
  if (haveBytes > disk.sizeBytes) throw DriverErrors.DISK_SHRINK_REFUSED({ haveBytes, wantBytes: disk.sizeBytes });
  if (haveBytes === disk.sizeBytes) return;
  await run(ctx, [config.qemuImg, "resize", "-q", "-f", "qcow2", disk.path, String(disk.sizeBytes)], { timeoutMs: config.toolTimeoutMs });
}

async function growRaw(disk: PlannedDisk): Promise<void> {
  const { size } = await stat(disk.path);
  if (size > disk.sizeBytes) throw DriverErrors.DISK_SHRINK_REFUSED({ haveBytes: size, wantBytes: disk.sizeBytes });
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

const exists = (path: string): Promise<boolean> => stat(path).then(() => true, () => false);
