import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import type { Ctx } from "../../../kernel/index.js";
import { ifThere } from "../../../platform/files/index.js";
import type { Arrival, GuestSpec, LeavingDisk } from "../../driver.js";
import { qcow2 } from "../../images/formats/qcow2.js";
import { HEAD_BYTES, Header } from "../../images/formats/view.js";
import { requireNext } from "../disk-pieces.js";
import { DriverErrors } from "../errors.js";
import type { ArrivalRecord } from "./arrival-record.js";
import { arrivingPath } from "./guest-paths.js";
import type { GuestPaths } from "./guest-paths.js";
import { BASE } from "./leaving-disks.js";

/** The longest name of an image below a disk. @source QEMU docs/interop/qcow2.txt */
const NAME_BYTES = 1023;

/**
 * The spec with the image that the guest's root disk stands on: this host's, when it has the same name, since
 * caches name images by what is in them; else the one that comes along, which is then the guest's alone: not
 * every host may say what an image's data are. A guest may stand on another image than its server's, as one
 * does that was unshelved.
 * @param found  what an earlier attempt has left
 * @throws TRANSFER_BROKEN when none comes along that has to
 * @cost a piece of the root disk, which is read twice
 */
export async function withImageBelow(
  ctx: Ctx,
  spec: GuestSpec,
  { arrival, paths }: { readonly arrival: Arrival; readonly paths: GuestPaths },
  found: ArrivalRecord | undefined,
): Promise<GuestSpec> {
  const { rootImage } = spec;
  const root = arrival.disks.find(({ name }) => name === "root");
  if (rootImage === undefined || root === undefined) return spec;
  const below = basename(pathBelow(await headOf(ctx, root, { arrival, paths }, found)));
  if (below === "" || below === basename(rootImage.path)) return spec;
  const base = arrival.disks.find(({ name }) => name === BASE);
  if (base === undefined) throw broken({ name: BASE }, "it is not offered");
  return { ...spec, rootImage: { ...rootImage, path: paths.baseDisk, virtualSizeBytes: base.sizeBytes } };
}

/** The beginning of a root disk: here, as far as it has come before, or there. */
async function headOf(
  ctx: Ctx,
  root: LeavingDisk,
  { arrival, paths }: { readonly arrival: Arrival; readonly paths: GuestPaths },
  found: ArrivalRecord | undefined,
): Promise<Uint8Array> {
  const isHere = found !== undefined && found.of(root.name) > 0;
  for (const path of isHere ? [paths.rootDisk, arrivingPath(paths.rootDisk)] : []) {
    const head = await ifThere(readHead(path));
    if (head !== undefined) return head;
  }
  for await (const piece of arrival.open(ctx, root, 0)) {
    requireNext(root, 0, piece);
    return piece.offset === 0 ? piece.data : new Uint8Array();
  }
  return new Uint8Array();
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const head = Buffer.alloc(Math.min((await file.stat()).size, HEAD_BYTES));
    await file.read(head, 0, head.length, 0);
    return head;
  } finally {
    await file.close();
  }
}

/** The image below a qcow2 image, as it says; "" for none. */
function pathBelow(head: Uint8Array): string {
  const header = new Header(head);
  const [offset = 0n, length = 0] = [header.u64be(8), header.u32be(16)];
  if (!header.has(0, "QFI\xfb") || offset === 0n || length > NAME_BYTES) return "";
  return header.text(Number(offset), length) ?? "";
}

/** Whether a root disk that has its place here stands on this image. */
export const standsOn = async (path: string, base: string): Promise<boolean> =>
  pathBelow(await readHead(path)) === base;

/**
 * Looks at what another host says is a root disk before anything opens it: it names no file of this host but
 * an image below it, which is about to be replaced, and has one exactly where there shall be one.
 * @throws TRANSFER_BROKEN
 */
export async function requireHonest(disk: LeavingDisk, path: string, hasBase: boolean): Promise<void> {
  const head = await readHead(path);
  const view = { head, tail: new Uint8Array(), sizeBytes: disk.sizeBytes };
  const header = new Header(head);
  if (!qcow2.matches(header, view)) throw broken(disk, "it is no qcow2 image");
  const { refusals } = qcow2.check(header, view);
  const other = refusals.find(({ code }) => code !== "BACKING_FILE");
  if (other !== undefined) throw broken(disk, other.text);
  if (refusals.length > 0 !== hasBase)
    throw broken(disk, hasBase ? "it stands on no image" : "it stands on an image");
}

export const broken = ({ name }: Pick<LeavingDisk, "name">, problem: string): Error =>
  DriverErrors.TRANSFER_BROKEN({ disk: name, problem });
