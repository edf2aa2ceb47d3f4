import { constants } from "node:fs";
import { lstat, open, readFile, rm } from "node:fs/promises";
import { z } from "zod";
import type { Ctx } from "../../../kernel/index.js";
import { CommonErrors } from "../../../kernel/index.js";
import { ifThere, syncPath, writeFileAtomic } from "../../../platform/files/index.js";
import type { DiskPiece, DiskTransfer, LeavingDisk, LeavingDiskData } from "../../driver.js";
import { PIECE_BYTES, dataRuns, pieceOf } from "../disk-pieces.js";
import { DriverErrors } from "../errors.js";
import { ownDisks } from "./disk-plan.js";
import type { Entry } from "./entry.js";
import type { GuestPaths } from "./guest-paths.js";

/** Name of the image below a root disk, among disks that move. */
export const BASE = "base";
/** Names of what a guest boots with. */
export const KERNEL = "kernel";
export const RAMDISK = "ramdisk";
/** Name of the guest's layout. One that was offered by an older agent has none. */
export const LAYOUT = "layout";
/** What only comes along where it cannot be had otherwise. No guest ever writes it. */
export const IMAGES: ReadonlySet<string> = new Set([BASE, KERNEL, RAMDISK]);

const SECTOR_BYTES = 512;
const schema = z.object({ transferId: z.string(), toHost: z.string() });

/** Of a mark that nobody understands: the guest stays off, and its disks are for nobody. */
const forNobody: DiskTransfer = { transferId: "", toHost: "" };

/** Whom the guest's disks are offered to; undefined: nobody, and it may run. */
export async function leavingMark({ leavingMark: path }: GuestPaths): Promise<DiskTransfer | undefined> {
  const text = await ifThere(readFile(path, "utf8"));
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return forNobody;
  }
}

export const markLeaving = (
  { leavingMark: path }: GuestPaths,
  { transferId, toHost }: DiskTransfer,
): Promise<void> => writeFileAtomic(path, JSON.stringify({ transferId, toHost }));

/** Before anything starts the guest: a mark that came back after a power cut would keep it off. */
export async function unmarkLeaving({ leavingMark: path, layout, dir }: GuestPaths): Promise<void> {
  await rm(path, { force: true });
  await rm(layout, { force: true });
  await syncPath(dir);
}

/** The files of a guest that move, an image before the disk on top of it. */
function filesOf({ definition, paths }: Pick<Entry, "definition" | "paths">): readonly {
  readonly name: string;
  readonly path: string;
  readonly format: "qcow2" | "raw";
}[] {
  // A rescue stays behind, and swap is made anew.
  const disks = ownDisks({ ...definition, rescue: null }, paths).filter(({ node }) => node !== "swap");
  const { kernel } = definition.spec;
  return [
    { name: LAYOUT, path: paths.layout, format: "raw" },
    ...disks.flatMap(({ node, path, format, base }) => [
      ...imageAt(BASE, base),
      { name: node, path, format },
    ]),
    ...imageAt(KERNEL, kernel?.kernelPath),
    ...imageAt(RAMDISK, kernel?.ramdiskPath),
  ];
}

const imageAt = (name: string, path: string | null | undefined) =>
  typeof path === "string" ? [{ name, path, format: "raw" as const }] : [];

/**
 * What of a stopped guest goes to another host. An image that is not here any more may be had there. What a
 * killed guest has written is on the disk before it is measured: after a power cut the same is offered.
 * @param sync  makes a file's content durable
 * @throws DISK_LOST
 */
export async function leavingDisks(
  entry: Pick<Entry, "definition" | "paths">,
  sync: (path: string) => Promise<void> = syncPath,
): Promise<LeavingDisk[]> {
  const { instanceUuid } = entry.definition.spec;
  const disks: LeavingDisk[] = [];
  for (const { name, path, format } of filesOf(entry)) {
    // Nothing else may be opened, and nothing takes its place: the folder is the agent's.
    if (!IMAGES.has(name) && (await ifThere(lstat(path)))?.isFile() === true) await sync(path);
    const held = await ifThere(lstat(path));
    if (held?.isFile() === true) {
      const dataBytes = Math.min(held.size, held.blocks * SECTOR_BYTES);
      disks.push({ name, format, sizeBytes: held.size, dataBytes });
    } else if (!IMAGES.has(name) && name !== LAYOUT)
      throw DriverErrors.DISK_LOST({ instanceUuid, disk: name });
  }
  return disks;
}

/**
 * Nothing is open before the first piece is asked for. The file is read as it is, by the agent itself: no
 * tool looks at what the guest has written.
 * @throws TRANSFER_UNKNOWN, INVALID_ARGUMENT, DISK_LOST
 */
export async function openLeaving(
  ctx: Ctx,
  entry: Entry | undefined,
  wanted: DiskTransfer,
  disk: string,
  fromByte: number,
): Promise<LeavingDiskData> {
  if (entry === undefined || !goesThere(entry, wanted)) throw DriverErrors.TRANSFER_UNKNOWN({});
  const file = filesOf(entry).find(({ name }) => name === disk);
  if (file === undefined)
    throw CommonErrors.INVALID_ARGUMENT({ field: "disk", problem: "the guest has none of that name" });
  const held = await ifThere(lstat(file.path));
  if (held?.isFile() !== true)
    throw DriverErrors.DISK_LOST({ instanceUuid: entry.definition.spec.instanceUuid, disk });
  return {
    sizeBytes: held.size,
    pieces: piecesOf(ctx, file.path, fromByte, () => goesThere(entry, wanted)),
  };
}

const goesThere = ({ leaving }: Entry, { transferId, toHost }: DiskTransfer): boolean =>
  transferId !== "" && leaving?.transferId === transferId && leaving.toHost === toHost;

/** What lies in the folder is what the agent put there; a link, or something that blocks, is not followed. */
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** @param mayGoOn  asked after each read: once it says no, the guest may have been writing meanwhile */
async function* piecesOf(
  ctx: Ctx,
  path: string,
  fromByte: number,
  mayGoOn: () => boolean,
): AsyncGenerator<DiskPiece> {
  const file = await open(path, READ_ONLY);
  try {
    let read = Buffer.allocUnsafe(PIECE_BYTES);
    for (let at = fromByte; ;) {
      ctx.signal.throwIfAborted();
      const { bytesRead } = await file.read(read, 0, PIECE_BYTES, at);
      if (!mayGoOn()) throw DriverErrors.TRANSFER_UNKNOWN({});
      if (bytesRead === 0) return;
      const runs = [...dataRuns(read.subarray(0, bytesRead))];
      for (const [from, to] of runs) yield pieceOf(at + from, read.subarray(from, to));
      // Who has got a piece may keep it.
      if (runs.length > 0) read = Buffer.allocUnsafe(PIECE_BYTES);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}
