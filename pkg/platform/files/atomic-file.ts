import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** The part of the file system that decides whether a file survives a power cut; replaced by tests. */
export interface DurableFiles {
  open(
    path: string,
    flags: string,
    mode?: number,
  ): Promise<{
    writeFile(data: string | Uint8Array): Promise<void>;
    sync(): Promise<void>;
    close(): Promise<void>;
  }>;
  rename(from: string, to: string): Promise<void>;
}

const disk: DurableFiles = { open, rename };

/**
 * Replaces a file as a whole: readers, and the next start after a kill or a power cut, see the old or the new
 * content. A kill may leave the draft `<path>.tmp`, which the next write takes over; one writer per path at a
 * time.
 * @cost two fsyncs
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  mode = 0o600,
  files = disk,
): Promise<void> {
  const draft = `${path}.tmp`;
  const file = await files.open(draft, "w", mode);
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(draft, path);
  await syncPath(dirname(path), files);
}

/** Makes a file's content, or a folder's entries, durable. */
export async function syncPath(path: string, files = disk): Promise<void> {
  const handle = await files.open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
