import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, statfs, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { DataFacts } from "../../domain/model.js";
import { E } from "../../errors.js";

/** Says whether a piece may come, perhaps later. */
export type Admit = (bytes: number) => Promise<() => void>;

/** Image data in files: `data/<upload id>` once complete, `incoming/<upload id>` until then. */
export interface DataFiles {
  /**
   * Stores a stream under its final name; after this returns, a crash does not lose it.
   * @param admit  asked before each piece is taken; what it gives is called when the piece is written
   * @throws TOO_MUCH beyond `maxBytes`; whatever the source or `admit` throws. Nothing is left behind then
   */
  write(
    uploadId: string,
    source: AsyncIterable<Uint8Array>,
    diskFormat: string | null,
    admit: Admit,
  ): Promise<DataFacts>;
  /** What is left of the disk for others than root. */
  freeBytes(): Promise<number>;
  /** @param range  first and last byte, both included */
  read(uploadId: string, range?: { readonly start: number; readonly end: number }): Readable;
  /** Repeatable. */
  remove(uploadId: string): Promise<void>;
  /**
   * Removes what belongs to no image.
   * @param kept  which of some uploads are under way or belong to images; asked after they were seen here
   */
  sweep(kept: (uploadIds: readonly string[]) => Promise<ReadonlySet<string>>): Promise<void>;
}

/** Files of which the owner is asked for together. */
const LOOKED_AT_ONCE = 500;

/** Opens (and makes) the directory. Upload ids are made by us, so they are safe file names. */
export async function dataFiles(directory: string, maxBytes: number): Promise<DataFiles> {
  const incoming = join(directory, "incoming");
  const data = join(directory, "data");
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  await mkdir(data, { recursive: true, mode: 0o700 });
  return {
    write: async (uploadId, source, diskFormat, admit) => {
      const temporary = join(incoming, uploadId);
      const file = await open(temporary, "wx", 0o600);
      try {
        const meter = new Meter(maxBytes);
        await writeFile(file, synced(file, meter.pass(source, admit)));
        await file.sync();
        await file.close();
        await rename(temporary, join(data, uploadId));
        await syncDirectory(data);
        return meter.facts(diskFormat);
      } catch (error) {
        await file.close();
        await rm(temporary, { force: true });
        throw error;
      }
    },
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(data);
      return bavail * bsize;
    },
    read: (uploadId, range) => createReadStream(join(data, uploadId), range ?? {}),
    remove: (uploadId) => rm(join(data, uploadId), { force: true }),
    sweep: async (kept) => {
      for (const folder of [incoming, data]) {
        const names = await readdir(folder);
        for (let from = 0; from < names.length; from += LOOKED_AT_ONCE) {
          const some = names.slice(from, from + LOOKED_AT_ONCE);
          const keep = await kept(some);
          for (const name of some) if (!keep.has(name)) await rm(join(folder, name), { force: true });
        }
      }
    },
  };
}

const SYNC_EVERY_BYTES = 8 * 2 ** 20;

/**
 * Brings data to the disk as it comes: a large upload would otherwise be written out at once at its end, and
 * everybody's commits would wait for it.
 */
async function* synced(file: FileHandle, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let unsynced = 0;
  for await (const piece of pieces) {
    yield piece;
    unsynced += piece.byteLength;
    if (unsynced < SYNC_EVERY_BYTES) continue;
    unsynced = 0;
    await file.datasync();
  }
}

/** A rename is only durable once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const HEAD_BYTES = 32;

/** Counts and hashes what passes through it, and keeps its head. */
class Meter {
  readonly #maxBytes: number;
  readonly #md5 = createHash("md5");
  readonly #sha512 = createHash("sha512");
  #head = Buffer.alloc(0);
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async *pass(source: AsyncIterable<Uint8Array>, admit: Admit): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.#size += chunk.byteLength;
      if (this.#size > this.#maxBytes)
        throw E.TOO_MUCH({ what: "image size in bytes", limit: this.#maxBytes });
      const end = await admit(chunk.byteLength);
      try {
        if (this.#head.length < HEAD_BYTES)
          this.#head = Buffer.concat([this.#head, chunk.subarray(0, HEAD_BYTES)]);
        this.#md5.update(chunk);
        this.#sha512.update(chunk);
        yield chunk;
      } finally {
        end();
      }
    }
  }

  facts(diskFormat: string | null): DataFacts {
    return {
      size: this.#size,
      virtualSize: virtualSizeOf(diskFormat, this.#head, this.#size),
      checksum: this.#md5.digest("hex"),
      hashAlgo: "sha512",
      hashValue: this.#sha512.digest("hex"),
    };
  }
}

const QCOW2_MAGIC = 0x514649fb;
const QCOW2_SIZE_OFFSET = 24;

/** The size of the disk inside: known for raw (itself) and qcow2 (from its header), else null. */
function virtualSizeOf(diskFormat: string | null, head: Buffer, size: number): number | null {
  if (diskFormat === "raw" || diskFormat === "iso") return size;
  if (diskFormat !== "qcow2" || head.length < HEAD_BYTES || head.readUInt32BE(0) !== QCOW2_MAGIC) return null;
  const virtual = Number(head.readBigUInt64BE(QCOW2_SIZE_OFFSET));
  return Number.isSafeInteger(virtual) ? virtual : null;
}
