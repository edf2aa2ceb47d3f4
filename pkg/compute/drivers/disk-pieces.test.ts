import assert from "node:assert/strict";
import type { DiskPiece } from "../driver.js";
import { PIECE_BYTES, dataRuns, pieceOf, requireNext } from "./disk-pieces.js";

const KIB = 1024;

describe("pieces of a disk that moves", () => {
  it("are what is not all zeros, neighbouring blocks together", () => {
    const bytes = Buffer.alloc(400 * KIB);
    assert.deepEqual([...dataRuns(bytes)], []);
    for (const at of [70, 130, 399]) bytes[at * KIB] = 1;
    assert.deepEqual(
      [...dataRuns(bytes)],
      [
        [64 * KIB, 192 * KIB],
        [384 * KIB, 400 * KIB],
      ],
    );
    assert.deepEqual([...dataRuns(Buffer.from("short"))], [[0, 5]]);
    assert.deepEqual([...dataRuns(Buffer.alloc(0))], []);
  });

  it("are taken as they were read, in their order, holes between them", () => {
    const disk = { name: "root", sizeBytes: 10 };
    requireNext(disk, 0, pieceOf(0, Buffer.from("abc")));
    requireNext(disk, 3, pieceOf(7, Buffer.from("xyz")));
  });

  const good = pieceOf(4, Buffer.from("data"));
  const cases: readonly [what: string, piece: DiskPiece, at: number][] = [
    ["has other data than its digest", { ...good, data: Buffer.from("date") }, 0],
    ["has no digest", { ...good, digest: new Uint8Array() }, 0],
    ["comes again", good, 5],
    ["does not fit the disk", pieceOf(7, Buffer.from("data")), 0],
    ["has no place at all", { ...good, offset: NaN }, 0],
    ["is empty", pieceOf(4, new Uint8Array()), 0],
    ["is too large", pieceOf(0, Buffer.alloc(PIECE_BYTES + 1)), 0],
  ];
  for (const [what, piece, at] of cases)
    it(`are refused when one ${what}`, () => {
      const sizeBytes = what === "is too large" ? PIECE_BYTES * 2 : 10;
      assert.throws(() => requireNext({ name: "root", sizeBytes }, at, piece), { reason: "TRANSFER_BROKEN" });
    });
});
