import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file as a whole: readers, and the next start after a kill or a power cut, see the old or the new
 * content. A kill may leave the draft `<path>.tmp`, which the next write takes over; one writer per path at a
 * time.
 * @cost two fsyncs
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  const draft = `${path}.tmp`;
  const file = await open(draft, "w", mode);
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncPath(dirname(path));
}

/** Makes a file's content, or a folder's entries, durable. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
