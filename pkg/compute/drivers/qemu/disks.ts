import { constants } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { ifThere, syncPath } from "../../../platform/files/index.js";
import { DriverErrors } from "../errors.js";
import type { Isolation } from "../host/isolation.js";
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
  readonly isolation: Pick<Isolation, "tool">;
  /** The guest's: the disks are its own, and nobody else's tools open what it may have written. */
  readonly user: RunAs | undefined;
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
      if (!isRunning) await growDisk(ctx, disk, tools);
    } else if (kept.has(disk.node)) {
      throw DriverErrors.DISK_LOST({ instanceUuid, disk: disk.node });
    } else {
      await createDisk(ctx, disk, tools);
    }
  }
}

/**
 * Made under another name first: a disk that is there is whole. The agent makes the file and gives it away;
 * the tool, as the guest's user, only fills it.
 */
export async function createDisk(ctx: Ctx, disk: PlannedDisk, tools: DiskTools): Promise<void> {
  const temporary = `${disk.path}.tmp`;
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    if (disk.format === "raw") await file.truncate(disk.sizeBytes);
    if (tools.user) await file.chown(tools.user.uid, tools.user.gid);
  } finally {
    await file.close();
  }
  await fill(ctx, disk, temporary, tools, maker(disk, temporary, tools.config.qemuImg));
  await syncPath(temporary);
  await rename(temporary, disk.path);
  await syncPath(dirname(disk.path));
}

function maker(disk: PlannedDisk, path: string, qemuImg: string): readonly string[] {
  if (disk.format === "qcow2") {
    // The base's format is always said (-F): a guest that writes a qcow2 header into its raw disk must gain
    // nothing.
    const base = disk.base === undefined ? [] : ["-b", disk.base, "-F", "raw"];
    return [qemuImg, "create", "-q", "-f", "qcow2", ...base, path, String(disk.sizeBytes)];
  }
  return disk.node === "swap"
    ? ["mkswap", "-q", path]
    : ["mke2fs", "-q", "-F", "-t", disk.fileSystem ?? "ext4", "-L", disk.node, path];
}

/** Runs a tool that sees the disk and its base, and nothing else. */
async function fill(
  ctx: Ctx,
  disk: PlannedDisk,
  path: string,
  { run, config, isolation, user }: DiskTools,
  argv: readonly string[],
): Promise<void> {
  const readable = disk.base === undefined ? [] : [disk.base];
  await run(ctx, argv, {
    timeoutMs: config.toolTimeoutMs,
    within: isolation.tool({ user, readable, writable: [path] }),
  });
}

async function growDisk(ctx: Ctx, disk: PlannedDisk, tools: DiskTools): Promise<void> {
  const file = await open(disk.path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    const haveBytes = disk.format === "qcow2" ? await virtualSize(file) : (await file.stat()).size;
    if (haveBytes > disk.sizeBytes)
      throw DriverErrors.DISK_SHRINK_REFUSED({ haveBytes, wantBytes: disk.sizeBytes });
    if (haveBytes === disk.sizeBytes) return;
    if (disk.format === "raw") return await file.truncate(disk.sizeBytes);
  } finally {
    await file.close();
  }
  const { qemuImg } = tools.config;
  await fill(ctx, disk, disk.path, tools, [
    qemuImg,
    "resize",
    "-q",
    "-f",
    "qcow2",
    disk.path,
    String(disk.sizeBytes),
  ]);
}

/** Virtual size by the header of an overlay. */
export async function qcow2SizeBytes(path: string): Promise<number> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return await virtualSize(file);
  } finally {
    await file.close();
  }
}

async function virtualSize(file: FileHandle): Promise<number> {
  const header = Buffer.alloc(32);
  await file.read(header, 0, 32, 0);
  return Number(header.readBigUInt64BE(24));
}

/** Only a disk that is certainly not there is made: another one would take its name. */
const exists = async (path: string): Promise<boolean> => (await ifThere(stat(path))) !== undefined;
