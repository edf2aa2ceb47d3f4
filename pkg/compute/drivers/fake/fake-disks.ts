import type { Ctx } from "../../../kernel/index.js";
import { CommonErrors } from "../../../kernel/index.js";
import type {
  Arrival,
  DiskPiece,
  DiskTransfer,
  LeavingDisk,
  LeavingDiskData,
  MovePhase,
  Tell,
} from "../../driver.js";
import { pieceOf, requireNext } from "../disk-pieces.js";
import { DriverErrors } from "../errors.js";
import type { FakeDisk, FakeDisks, FakeGuest } from "./guest-file.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const SECTOR_BYTES = 512;
const [ROOT_BYTES, ROOT_END_AT, CONFIG_BYTES] = [4 * MIB, 3 * MIB, 64 * KIB];

/** What is on a guest's disks: what came with it, or what every new one has. */
function disksOf(guest: FakeGuest): FakeDisks {
  if (guest.disks !== undefined) return guest.disks;
  const { instanceName, rootDisk, hasConfigDrive } = guest;
  const end = piece(ROOT_END_AT, `end of disk ${rootDisk} of ${instanceName}`);
  const root = { sizeBytes: ROOT_BYTES, pieces: [piece(0, firstWords(guest)), end] };
  const config = { sizeBytes: CONFIG_BYTES, pieces: [piece(0, `config drive of ${instanceName}`)] };
  return hasConfigDrive ? { root, config } : { root };
}

const firstWords = ({ instanceName, starts }: FakeGuest): string =>
  `fake disk of ${instanceName}, started ${starts} times`;

const piece = (offset: number, text: string): FakeDisk["pieces"][number] => ({
  offset,
  base64: Buffer.from(sectorOf(text)).toString("base64"),
});

/** A sector that says something. */
function sectorOf(text: string): Uint8Array {
  const sector = new Uint8Array(SECTOR_BYTES);
  sector.set(new TextEncoder().encode(text.slice(0, SECTOR_BYTES)));
  return sector;
}

/** The first sector of the root disk, which says whose it is. */
export function rootSector(guest: FakeGuest): Uint8Array {
  const [first] = disksOf(guest)["root"]?.pieces ?? [];
  return first === undefined ? new Uint8Array(SECTOR_BYTES) : bytesOf(first);
}

const bytesOf = ({ base64 }: FakeDisk["pieces"][number]): Uint8Array =>
  new Uint8Array(Buffer.from(base64, "base64"));

/** A guest's disks as they leave. */
export const leavingDisks = (guest: FakeGuest): LeavingDisk[] =>
  Object.entries(disksOf(guest)).map(([name, { sizeBytes, pieces }]): LeavingDisk => {
    const dataBytes = pieces.reduce((sum, one) => sum + bytesOf(one).length, 0);
    return { name, format: "raw", sizeBytes, dataBytes };
  });

/** @param now  the guest as it is by then @throws TRANSFER_UNKNOWN, INVALID_ARGUMENT */
export function openLeaving(
  now: () => FakeGuest | undefined,
  wanted: DiskTransfer,
  name: string,
  fromByte: number,
): LeavingDiskData {
  const guest = requireLeaving(now(), wanted);
  const disk = disksOf(guest)[name];
  if (disk === undefined)
    throw CommonErrors.INVALID_ARGUMENT({ field: "disk", problem: "the guest has none of that name" });
  return { sizeBytes: disk.sizeBytes, pieces: piecesOf(disk, fromByte, () => requireLeaving(now(), wanted)) };
}

function requireLeaving(guest: FakeGuest | undefined, { transferId, toHost }: DiskTransfer): FakeGuest {
  const leaving = guest?.leaving;
  if (guest === undefined || leaving?.transferId !== transferId || leaving.toHost !== toHost)
    throw DriverErrors.TRANSFER_UNKNOWN({});
  return guest;
}

async function* piecesOf(disk: FakeDisk, fromByte: number, check: () => void): AsyncGenerator<DiskPiece> {
  for (const one of disk.pieces) {
    check();
    const rest = bytesOf(one).subarray(Math.max(0, fromByte - one.offset));
    if (rest.length > 0) yield pieceOf(Math.max(fromByte, one.offset), rest);
  }
}

/**
 * Fetches what is still missing of disks that arrive. @param have  what came before. @param keep  told of all
 * there is by now, after each piece. @returns the disks, whole
 */
export async function fetchDisks(
  ctx: Ctx,
  arrival: Arrival,
  have: FakeDisks,
  keep: (disks: FakeDisks) => void,
  tell: Tell<MovePhase>,
): Promise<FakeDisks> {
  const disks: Record<string, FakeDisk> = { ...have };
  const total = arrival.disks.reduce((sum, { dataBytes }) => sum + dataBytes, 0);
  const done = (): number =>
    Object.values(disks)
      .flatMap(({ pieces }) => pieces.map((one) => bytesOf(one).length))
      .reduce((sum, bytes) => sum + bytes, 0);
  for (const disk of arrival.disks) {
    let held: FakeDisk = disks[disk.name] ?? { sizeBytes: disk.sizeBytes, pieces: [] };
    disks[disk.name] = held;
    for await (const arrived of arrival.open(ctx, disk, endOf(held))) {
      ctx.signal.throwIfAborted();
      requireNext(disk, endOf(held), arrived);
      const base64 = Buffer.from(arrived.data).toString("base64");
      held = { ...held, pieces: [...held.pieces, { offset: arrived.offset, base64 }] };
      disks[disk.name] = held;
      keep(disks);
      tell({ phase: "disk_move", done: done(), total });
    }
  }
  return disks;
}

/** First byte behind all that is there. */
function endOf({ pieces }: FakeDisk): number {
  const last = pieces.at(-1);
  return last === undefined ? 0 : last.offset + bytesOf(last).length;
}
