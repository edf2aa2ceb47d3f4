import { readFile, rm, stat } from "node:fs/promises";
import { z } from "zod";
import type { Logger } from "../../../kernel/index.js";
import { ifThere, syncPath, writeFileAtomic } from "../../../platform/files/index.js";
import type { GuestPaths } from "./guest-paths.js";

const schema = z.object({
  version: z.literal(1),
  /** Of the file with the memory. */
  bytes: z.number().int().positive(),
  /** With what the guest was started: its memory only fits a machine of the very same devices. */
  argv: z.array(z.string()).min(1),
});

/**
 * A guest whose memory lies in a file. Where this record lies, the guest has not run since its memory was
 * written, whatever process of it there may be: it is written before the old process ends, and removed before
 * a new one runs.
 */
export type SavedMemory = z.infer<typeof schema>;

/**
 * @returns undefined when the guest is not suspended, or nobody can go on from what is there (the log says
 *   so)
 * @throws when it cannot be read
 */
export async function readSaved(paths: GuestPaths, log: Logger): Promise<SavedMemory | undefined> {
  const text = await ifThere(readFile(paths.savedRecord, "utf8"));
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    log.error("compute.qemu.saved-memory.spoiled", { path: paths.savedRecord, error });
    return undefined;
  }
}

export const commitSaved = (paths: GuestPaths, saved: SavedMemory): Promise<void> =>
  writeFileAtomic(paths.savedRecord, JSON.stringify(saved));

/** Whether the file is as long as it was when it was written. */
export async function isWhole(paths: GuestPaths, { bytes }: SavedMemory): Promise<boolean> {
  return (await ifThere(stat(paths.memory)))?.size === bytes;
}

/** From here on nobody goes on from it. Nothing there is success. */
export async function withdrawSaved(paths: GuestPaths): Promise<void> {
  await rm(paths.savedRecord, { force: true });
  await syncPath(paths.dir);
}

/** Frees the space of memory that nobody goes on from. */
export async function dropMemory(paths: GuestPaths): Promise<void> {
  await rm(paths.memory, { force: true });
  await rm(paths.memoryBeingSaved, { force: true });
}
