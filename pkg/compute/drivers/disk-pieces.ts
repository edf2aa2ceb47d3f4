import { createHash } from "node:crypto";
import type { DiskPiece } from "../driver.js";
import { DriverErrors } from "./errors.js";

/** The largest piece of a disk. */
export const PIECE_BYTES = 1024 ** 2;
/** What is all zeros in so many bytes is a hole. */
const BLOCK_BYTES = 64 * 1024;
const zeros = Buffer.alloc(BLOCK_BYTES);

/** A piece with its digest. */
export const pieceOf = (offset: number, data: Uint8Array): DiskPiece => ({
  offset,
  data,
  digest: createHash("sha256").update(data).digest(),
});

/** Where there is anything but zeros, neighbouring blocks together. @returns pairs of first byte and end */
export function* dataRuns(bytes: Uint8Array): Generator<readonly [from: number, to: number]> {
  let from: number | undefined;
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = bytes.subarray(at, at + BLOCK_BYTES);
    if (!zeros.subarray(0, block.length).equals(block)) from ??= at;
    else if (from !== undefined) {
      yield [from, at];
      from = undefined;
    }
  }
  if (from !== undefined) yield [from, bytes.length];
}

/** A disk that arrives, as far as its pieces are to be judged. */
export interface ArrivingDisk {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Looks at the next piece of a disk of which all before `at` has come. @throws TRANSFER_BROKEN */
export function requireNext(
  { name, sizeBytes }: ArrivingDisk,
  at: number,
  { offset, data, digest }: DiskPiece,
): void {
  const broken = (problem: string): Error => DriverErrors.TRANSFER_BROKEN({ disk: name, problem });
  if (data.length === 0 || data.length > PIECE_BYTES) throw broken("a piece has an impossible size");
  if (!(offset >= at) || !(offset + data.length <= sizeBytes)) throw broken("a piece is out of place");
  if (!createHash("sha256").update(data).digest().equals(digest)) throw broken("a piece has been changed");
}
