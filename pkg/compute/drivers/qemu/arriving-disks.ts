import { constants } from "node:fs";
import { lchown, lstat, open, rename, rm, statfs } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { ifThere, syncPath } from "../../../platform/files/index.js";
import type { Arrival, GuestSpec, LeavingDisk, MovePhase, Tell } from "../../driver.js";
import { requireNext } from "../disk-pieces.js";
import { DriverErrors } from "../errors.js";
import type { RunAs } from "../host/run-as.js";
import { ArrivalRecord } from "./arrival-record.js";
import { broken, requireHonest, standsOn, withImageBelow } from "./arriving-root.js";
import { makeFiles, wantedDefinition } from "./define-guest.js";
import type { DefineTools } from "./define-guest.js";
import { userOf } from "./definition.js";
import type { Definition } from "./definition.js";
import { ownDisks } from "./disk-plan.js";
import type { PlannedDisk } from "./disk-plan.js";
import { arrivingPath } from "./guest-paths.js";
import type { GuestPaths } from "./guest-paths.js";
import { comingLayout } from "./layout.js";
import { BASE, IMAGES, KERNEL, LAYOUT, RAMDISK } from "./leaving-disks.js";

/** Which guest comes, and how. */
export interface ImportInput {
  readonly spec: GuestSpec;
  readonly arrival: Arrival;
  readonly paths: GuestPaths;
}

/** How much is written before it is made sure of: so much comes again after a power cut. */
const SURE_BYTES = 64 * 1024 ** 2;
/** Kept free beside what arrives: other guests write to the same file system. */
const SPARE_BYTES = 256 * 1024 ** 2;
/** A config drive is no larger, whatever its files are. */
const DRIVE_BYTES = 128 * 1024 ** 2;
/** What a guest boots with is no larger. */
const BOOT_BYTES = 1024 ** 3;
/** What a qcow2 file may have besides the data of its disk: its tables, 1 in 64 of it, and its header. */
const TABLES_PART = 64;
const HEADER_BYTES = 64 * 1024 ** 2;

/** A disk that comes, and its place here. */
interface ComingDisk {
  readonly disk: LeavingDisk;
  readonly path: string;
  /** Image below it, on this host. */
  readonly base: string | undefined;
}

/**
 * Fetches a guest's disks and makes what else its definition means, which is written last. Every disk lies
 * under another name until it is whole; what of another transfer lies here is thrown away.
 * @returns the definition now in force
 * @throws TRANSFER_BROKEN, HOST_DISK_FULL, DISK_SHRINK_REFUSED for a disk that the new guest does not have,
 *   and what `defineGuest` throws of new guests
 */
export async function importGuest(
  ctx: Ctx,
  { spec: asked, arrival, paths }: ImportInput,
  tools: DefineTools,
  tell: Tell<MovePhase>,
): Promise<Definition> {
  const { transferId, disks } = arrival;
  const found = await ArrivalRecord.find(paths, transferId);
  const spec = withOwnBootFiles(await withImageBelow(ctx, asked, { arrival, paths }, found), paths);
  const layout = await comingLayout(ctx, arrival);
  const plain = wantedDefinition({ spec, before: undefined, uidBefore: undefined, paths, layout }, tools);
  const wanted: Definition = { ...plain, arrivedBy: transferId };
  const coming = placesOf(disks, wanted, paths);
  if (found === undefined) await tools.files.discard(paths, spec.instanceUuid);
  await tools.files.makeFolder(paths, userOf(wanted));
  const record = found ?? (await ArrivalRecord.begin(paths, transferId));
  await fetchDisks(ctx, coming, { arrival, record, user: userOf(wanted), dir: paths.dir }, tools, tell);
  // The drive that came has what nobody else knows any more, such as the first password.
  const driveCame = coming.some(({ disk }) => disk.name === "config");
  const rest = driveCame ? { ...spec, configDrive: undefined } : spec;
  await makeFiles(ctx, { spec: rest, wanted, before: undefined, isRunning: false, paths }, tools);
  await tools.files.commit(paths, wanted);
  await rm(paths.arriving, { force: true });
  return wanted;
}

/** What this host does not have of what the guest boots with is the guest's own. */
function withOwnBootFiles(spec: GuestSpec, { ownKernel, ownRamdisk }: GuestPaths): GuestSpec {
  if (spec.kernel === undefined) return spec;
  const { kernelPath, ramdiskPath, commandLine } = spec.kernel;
  const kernel = {
    kernelPath: kernelPath === "" ? ownKernel : kernelPath,
    ramdiskPath: ramdiskPath === "" ? ownRamdisk : ramdiskPath,
    commandLine,
  };
  return { ...spec, kernel };
}

/** Those of its own that a guest boots with. */
const bootFiles = (
  { spec: { kernel } }: Definition,
  { ownKernel, ownRamdisk }: GuestPaths,
): ReadonlyMap<string, string> =>
  new Map<string, string>([
    ...(kernel?.kernelPath === ownKernel ? [[KERNEL, ownKernel] as const] : []),
    ...(kernel?.ramdiskPath === ownRamdisk ? [[RAMDISK, ownRamdisk] as const] : []),
  ]);

/**
 * What is not needed is left where it is: the image below a root disk that this host has, swap, a drive that
 * the guest has no more. What is wanted and does not come is new, but for a root disk and what it boots with.
 */
function placesOf(disks: readonly LeavingDisk[], wanted: Definition, paths: GuestPaths): ComingDisk[] {
  const own = ownDisks(wanted, paths);
  const boots = bootFiles(wanted, paths);
  for (const name of [...own.map(({ node }) => node).filter((node) => node === "root"), ...boots.keys()])
    if (!disks.some((disk) => disk.name === name)) throw broken({ name }, "it is not offered");
  return disks.flatMap((disk): ComingDisk[] => {
    const { name, format, sizeBytes } = disk;
    // It has been read.
    if (name === LAYOUT) return [];
    if (name === KERNEL || name === RAMDISK) {
      const path = boots.get(name);
      if (path === undefined) return [];
      if (format !== "raw" || sizeBytes > BOOT_BYTES) throw broken(disk, "nothing boots with such a file");
      return [{ disk, path, base: undefined }];
    }
    const planned = own.find(({ node }) => node === (name === BASE ? "root" : name));
    const isIdle =
      name === BASE
        ? wanted.spec.rootImage?.path !== paths.baseDisk
        : name === "swap" || (name === "config" && planned === undefined);
    if (isIdle) return [];
    const wantBytes = planned === undefined ? 0 : mostBytes(name, planned);
    if (planned === undefined || sizeBytes > wantBytes)
      throw DriverErrors.DISK_SHRINK_REFUSED({ haveBytes: sizeBytes, wantBytes });
    if (name === BASE) return [{ disk, path: paths.baseDisk, base: undefined }];
    if (planned.format !== format) throw broken(disk, `it is ${format}, not ${planned.format}`);
    return [{ disk, path: planned.path, base: planned.base }];
  });
}

/** The largest file that can be a disk, or the image below it: another host does not fill this one. */
function mostBytes(name: string, { format, sizeBytes }: PlannedDisk): number {
  if (name === "config") return DRIVE_BYTES;
  if (format === "raw" || name === BASE) return sizeBytes;
  return sizeBytes + Math.ceil(sizeBytes / TABLES_PART) + HEADER_BYTES;
}

interface Fetching {
  readonly arrival: Arrival;
  readonly record: ArrivalRecord;
  readonly user: RunAs | undefined;
  readonly dir: string;
}

async function fetchDisks(
  ctx: Ctx,
  coming: readonly ComingDisk[],
  fetching: Fetching,
  tools: DefineTools,
  tell: Tell<MovePhase>,
): Promise<void> {
  const { record, user, dir } = fetching;
  const total = coming.reduce((sum, { disk }) => sum + disk.dataBytes, 0);
  const isHere = new Set<string>();
  let done = 0;
  for (const { disk, path } of coming) {
    const whole = (await ifThere(lstat(path))) !== undefined;
    if (whole) isHere.add(path);
    done += whole ? disk.dataBytes : await heldBytes(arrivingPath(path), record.of(disk.name));
  }
  await requireRoom(dir, total - done);
  const passed = (bytes: number): void => {
    done += bytes;
    tell({ phase: "disk_move", done, total });
  };
  passed(0);
  for (const one of coming) {
    const { disk, path, base } = one;
    if (!isHere.has(path)) {
      await fetchDisk(ctx, disk, arrivingPath(path), fetching, passed);
      await settle(ctx, one, user, tools);
    } else {
      if (user && !IMAGES.has(disk.name)) await lchown(path, user.uid, user.gid);
      // This host may have had another image when an earlier attempt settled it, or none.
      if (base !== undefined && !(await standsOn(path, base))) await putOn(ctx, path, base, user, tools);
    }
  }
}

/** What an earlier attempt has brought, at most as much as it is sure of. */
async function heldBytes(path: string, reached: number): Promise<number> {
  const held = await ifThere(lstat(path));
  return held === undefined ? 0 : Math.min(held.blocks * 512, reached);
}

async function requireRoom(dir: string, needBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const freeBytes = bavail * bsize;
  if (freeBytes < needBytes + SPARE_BYTES) throw DriverErrors.HOST_DISK_FULL({ needBytes, freeBytes });
}

/** Writes a disk's data into a file of the agent's own, from where an earlier attempt broke off. */
async function fetchDisk(
  ctx: Ctx,
  disk: LeavingDisk,
  part: string,
  { arrival, record }: Fetching,
  passed: (bytes: number) => void,
): Promise<void> {
  const { name, sizeBytes } = disk;
  let at = record.of(name);
  if (at === 0) await rm(part, { force: true });
  else if ((await ifThere(lstat(part))) === undefined) at = 0;
  else if (at === sizeBytes) return;
  const file = await open(part, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    // What lies behind may be there by name only.
    await file.truncate(at);
    let unsure = 0;
    const makeSure = async (): Promise<void> => {
      await file.datasync();
      await record.note(name, at);
      unsure = 0;
    };
    try {
      for await (const piece of arrival.open(ctx, disk, at)) {
        ctx.signal.throwIfAborted();
        requireNext(disk, at, piece);
        await writeAll(file, piece.data, piece.offset);
        at = piece.offset + piece.data.length;
        unsure += piece.data.length;
        passed(piece.data.length);
        if (unsure >= SURE_BYTES) await makeSure();
      }
    } catch (error) {
      if (unsure > 0) await makeSure();
      throw error;
    }
    await file.truncate(sizeBytes);
    await file.sync();
    await record.note(name, sizeBytes);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, data: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < data.length;)
    done += (await file.write(data, done, data.length - done, offset + done)).bytesWritten;
}

/**
 * Gives a whole disk its owner, the image below it that this host has, and its name, in this order. It may
 * have been done up to anywhere before.
 */
async function settle(
  ctx: Ctx,
  { disk, path, base }: ComingDisk,
  user: RunAs | undefined,
  tools: DefineTools,
): Promise<void> {
  const part = arrivingPath(path);
  if (disk.format === "qcow2") await requireHonest(disk, part, base !== undefined);
  if (IMAGES.has(disk.name)) await closeForGood(part);
  else if (user) await lchown(part, user.uid, user.gid);
  if (base !== undefined) await putOn(ctx, part, base, user, tools);
  await rename(part, path);
  await syncPath(dirname(path));
}

/** Has a root disk that was looked at stand on an image of this host. */
async function putOn(
  ctx: Ctx,
  disk: string,
  base: string,
  user: RunAs | undefined,
  { run, config, isolation }: DefineTools,
): Promise<void> {
  await run(ctx, [config.qemuImg, "rebase", "-u", "-f", "qcow2", "-b", base, "-F", "raw", disk], {
    timeoutMs: config.toolTimeoutMs,
    within: isolation.tool({ user, readable: [base], writable: [disk] }),
  });
  await syncPath(disk);
}

/** As images of the cache are: the guest's process may read it. */
async function closeForGood(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await file.chmod(0o444);
  } finally {
    await file.close();
  }
}
