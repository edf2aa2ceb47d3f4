import { constants, createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { syncPath } from "../../../../platform/files/index.js";
import { E } from "../../errors.js";
import type { CagedUser } from "../../ports.js";

/** Opens a plain file that a stranger's process may have put there: no link, and no other names. */
async function openPlain(path: string, flags: number): Promise<FileHandle> {
  const handle = await open(path, flags | constants.O_NOFOLLOW);
  const found = await handle.stat();
  if (found.isFile() && found.nlink === 1) return handle;
  await handle.close();
  throw E.STORAGE_FAILED({ step: "open a file of a volume" });
}

/** Makes a sparse file, in place of whatever has the name. */
export async function makeFile(path: string, size: number, user: CagedUser | undefined): Promise<void> {
  await rm(path, { force: true, recursive: true });
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.truncate(size);
    if (user) await handle.chown(user.uid, user.gid);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a file as large as it should be; never smaller. */
export async function growFile(path: string, size: number): Promise<void> {
  const handle = await openPlain(path, constants.O_RDWR);
  try {
    if ((await handle.stat()).size < size) await handle.truncate(size);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives a finished file its final name, owner and mode, on the open file only. */
export async function settle(
  from: string,
  to: string,
  user: CagedUser | undefined,
  { mode, size }: { readonly mode: number; readonly size?: number },
): Promise<void> {
  const handle = await openPlain(from, constants.O_RDWR);
  try {
    if (size !== undefined) await handle.truncate(size);
    if (process.getuid?.() === 0) await handle.chown(user?.uid ?? 0, user?.gid ?? 0);
    await handle.chmod(mode);
    await handle.sync();
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await rename(from, to);
    await syncPath(dirname(to));
  } finally {
    await handle.close();
  }
}

/** Reads a plain file to its end. */
export async function readPlain(path: string): Promise<{ readonly size: number; readonly data: Readable }> {
  const handle = await openPlain(path, constants.O_RDONLY);
  const { size } = await handle.stat();
  return { size, data: handle.createReadStream() };
}

/** Writes a stream into a new file, as it is. */
export async function writeAll(path: string, data: Readable, signal: AbortSignal): Promise<void> {
  await rm(path, { force: true });
  await pipeline(data, createWriteStream(path, { flags: "wx", mode: 0o444 }), { signal });
}

const BLOCK = 64 * 1024;
const ZEROS = Buffer.alloc(BLOCK);

/**
 * Writes a stream into an existing file of zeros, leaving holes where it has zeros.
 * @param limit  more bytes than this are refused
 */
export async function writeSparse(
  path: string,
  data: Readable,
  limit: number,
  signal: AbortSignal,
): Promise<void> {
  const handle = await openPlain(path, constants.O_RDWR);
  let at = 0;
  try {
    for await (const piece of data as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      if (at + piece.length > limit) throw E.STORAGE_FAILED({ step: "fit an image into a volume" });
      for (let from = 0; from < piece.length; from += BLOCK) {
        const part = piece.subarray(from, from + BLOCK);
        if (!part.equals(ZEROS.subarray(0, part.length))) await writeWhole(handle, part, at + from);
      }
      at += piece.length;
    }
    await handle.sync();
  } finally {
    data.destroy();
    await handle.close();
  }
}

async function writeWhole(handle: FileHandle, part: Buffer, at: number): Promise<void> {
  for (let done = 0; done < part.length;) {
    const { bytesWritten } = await handle.write(part, done, part.length - done, at + done);
    done += bytesWritten;
  }
}
