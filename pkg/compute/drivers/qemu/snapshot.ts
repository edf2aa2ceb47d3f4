import { constants } from "node:fs";
import { lstat, open, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { isCanonicalUuid } from "../../../kernel/index.js";
import { ifThere, syncPath } from "../../../platform/files/index.js";
import type { DiskSnapshot, SnapshotData, SnapshotPhase, SnapshotRequest, Tell } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { convertedPart } from "../host/converted-part.js";
import type { Isolation } from "../host/isolation.js";
import type { RunAs } from "../host/run-as.js";
import type { RunTool } from "../host/run-tool.js";
import { backUp, endBackUp } from "./backup-job.js";
import type { QemuConfig } from "./config.js";
import { userOf } from "./definition.js";
import { planDisks } from "./disk-plan.js";
import type { PlannedDisk } from "./disk-plan.js";
import { qcow2SizeBytes } from "./disks.js";
import type { Entry } from "./entry.js";
import { agentListens } from "./guest-agent.js";
import type { GuestFiles } from "./guest-files.js";
import type { GuestPaths } from "./guest-paths.js";
import { whileFrozen } from "./quiesce.js";
import type { RunningGuest } from "./running-guest.js";

/** What copying a disk takes. */
export interface SnapshotTools {
  readonly run: RunTool;
  readonly config: Pick<
    QemuConfig,
    "qemuImg" | "toolTimeoutMs" | "snapshotFormat" | "snapshotBytesPerSecond" | "snapshotTimeoutMs"
  >;
  readonly isolation: Pick<Isolation, "tool">;
  readonly files: Pick<GuestFiles, "makeSnapshotsFolder">;
  /** What is left on the file system of a folder; asked of the kernel unless given. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

/** Kept free beside a copy: other guests write to the same file system. */
const SPARE_BYTES = 256 * 1024 ** 2;
const CHUNK_BYTES = 256 * 1024;

/**
 * Copies a guest's root disk into a file of its own; under the guest's lock. A guest whose process is there
 * copies it itself, since nobody else may open the disk meanwhile; of one that is off a tool copies it, shut
 * in as the guest's user, who may have written anything into it.
 * @throws NO_ROOT_DISK, HOST_DISK_FULL, QUIESCE_FAILED, GUEST_NOT_REACHABLE
 */
export async function takeSnapshot(
  ctx: Ctx,
  entry: Entry,
  { snapshotId, quiesce }: SnapshotRequest,
  tell: Tell<SnapshotPhase>,
  tools: SnapshotTools,
): Promise<DiskSnapshot> {
  const { definition, paths } = entry;
  const { instanceUuid } = definition.spec;
  const format = tools.config.snapshotFormat;
  const user = userOf(definition);
  const root = planDisks(definition, paths).find(({ node }) => node === "root");
  if (root === undefined) throw DriverErrors.NO_ROOT_DISK({ instanceUuid });
  const running = await requireReach(entry);
  if (running === undefined) await tools.files.makeSnapshotsFolder(paths, user);
  const path = snapshotPath(paths, snapshotId);
  await discardAll(entry);
  const virtualSizeBytes = await qcow2SizeBytes(root.path);
  await requireRoom(paths, root, virtualSizeBytes, tools.freeBytes);
  await makeTarget(ctx, { path, format, sizeBytes: virtualSizeBytes }, user, tools);
  if (running === undefined) {
    await copyCold(ctx, root, { path, format, sizeBytes: virtualSizeBytes }, user, tell, tools);
  } else {
    const hears =
      quiesce !== "no" &&
      running.runState === "running" &&
      definition.spec.hardware.guestAgent === true &&
      (await agentListens(running));
    const guest = { instanceUuid, paths, hears, log: ctx.log };
    const target = { path, format, bytesPerSecond: tools.config.snapshotBytesPerSecond };
    await backUp(ctx, running, target, (start) => whileFrozen(guest, quiesce, start), tell);
  }
  await syncPath(path);
  return { diskFormat: format, sizeBytes: (await stat(path)).size, virtualSizeBytes };
}

/** Nothing is open before the first piece is asked for. @throws SNAPSHOT_LOST */
export async function openSnapshot({ paths }: Entry, snapshotId: string): Promise<SnapshotData> {
  const path = snapshotPath(paths, snapshotId);
  const found = await ifThere(lstat(path));
  if (found?.isFile() !== true) throw DriverErrors.SNAPSHOT_LOST({ snapshotId });
  return { sizeBytes: found.size, data: contentOf(path, snapshotId) };
}

/** The guest's process may write into the folder: what is opened is not waited for, and looked at again. */
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function* contentOf(path: string, snapshotId: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, READ_ONLY);
  try {
    if (!(await file.stat()).isFile()) throw DriverErrors.SNAPSHOT_LOST({ snapshotId });
    yield* file.createReadStream({ highWaterMark: CHUNK_BYTES, autoClose: false });
  } finally {
    await file.close();
  }
}

/**
 * A guest has one copy at a time: what else is there was left while this host was away, and nobody came back
 * for it.
 */
async function discardAll({ running, paths: { snapshotsDir } }: Entry): Promise<void> {
  if (running !== undefined) await endBackUp(running);
  for (const name of await readdir(snapshotsDir)) await rm(join(snapshotsDir, name), { force: true });
}

/** Ends a copy that is under way, and removes its file. */
export async function discard({ running, paths }: Entry, snapshotId: string): Promise<void> {
  if (running !== undefined && running.runState !== "unknown") await endBackUp(running);
  await rm(snapshotPath(paths, snapshotId), { force: true });
}

/** @throws SNAPSHOT_LOST for an id that could not be one: it becomes a file's name */
function snapshotPath({ snapshotsDir }: GuestPaths, snapshotId: string): string {
  if (!isCanonicalUuid(snapshotId)) throw DriverErrors.SNAPSHOT_LOST({ snapshotId });
  return join(snapshotsDir, snapshotId);
}

/**
 * The process that copies the disk; undefined when there is none. It sees only what it was started with: one
 * that an older version has started does not see the folder for copies.
 * @throws GUEST_NOT_REACHABLE
 */
async function requireReach({ running, definition, paths }: Entry): Promise<RunningGuest | undefined> {
  if (running === undefined) return undefined;
  const seen = await stat(`/proc/${running.identity.pid}/root${paths.snapshotsDir}`).catch(() => undefined);
  if (seen === undefined)
    throw DriverErrors.GUEST_NOT_REACHABLE({ instanceUuid: definition.spec.instanceUuid });
  return running;
}

/** A copy may become as large as what its disk and the base of it hold, but no larger than the whole disk. */
async function requireRoom(
  paths: GuestPaths,
  root: PlannedDisk,
  virtualSizeBytes: number,
  freeIn = freeBytesIn,
): Promise<void> {
  const held = async (path: string | undefined): Promise<number> =>
    path === undefined ? 0 : (await stat(path)).blocks * 512;
  const needBytes = Math.min(virtualSizeBytes, (await held(root.path)) + (await held(root.base)));
  const freeBytes = await freeIn(paths.dir);
  if (freeBytes < needBytes + SPARE_BYTES) throw DriverErrors.HOST_DISK_FULL({ needBytes, freeBytes });
}

async function freeBytesIn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

interface Target {
  readonly path: string;
  readonly format: "qcow2" | "raw";
  readonly sizeBytes: number;
}

/** An empty image that the guest's user may fill, and nobody else. */
async function makeTarget(
  ctx: Ctx,
  { path, format, sizeBytes }: Target,
  user: RunAs | undefined,
  { run, config, isolation }: SnapshotTools,
): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    if (format === "raw") await file.truncate(sizeBytes);
    if (user) await file.chown(user.uid, user.gid);
  } finally {
    await file.close();
  }
  if (format === "raw") return;
  await run(ctx, [config.qemuImg, "create", "-q", "-f", "qcow2", path, String(sizeBytes)], {
    timeoutMs: config.toolTimeoutMs,
    within: isolation.tool({ user, writable: [path] }),
  });
}

/** Every format is said, and the base too: what the guest has written must not choose what is opened. */
async function copyCold(
  ctx: Ctx,
  root: PlannedDisk,
  { path, format, sizeBytes }: Target,
  user: RunAs | undefined,
  tell: Tell<SnapshotPhase>,
  { run, config, isolation }: SnapshotTools,
): Promise<void> {
  const file = (filename: string): object => ({ driver: "file", filename });
  const source = {
    driver: root.format,
    file: file(root.path),
    ...(root.format === "qcow2"
      ? { backing: root.base === undefined ? null : { driver: "raw", file: file(root.base) } }
      : {}),
  };
  await run(ctx, [config.qemuImg, "convert", "-p", "-O", format, `json:${JSON.stringify(source)}`, path], {
    timeoutMs: config.snapshotTimeoutMs,
    onOutput: (text) => {
      const part = convertedPart(text);
      if (part !== undefined) tell({ phase: "disk_copy", done: part * sizeBytes, total: sizeBytes });
    },
    within: isolation.tool({
      user,
      readable: [root.path, ...(root.base === undefined ? [] : [root.base])],
      writable: [path],
    }),
  });
}
