import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import type { GuestPaths } from "./guest-paths.js";

type ConsolePaths = Pick<GuestPaths, "consoleLog" | "consoleLogBefore">;

/**
 * Keeps the consoles of guests bounded. One that cannot be stops no other one, and not the agent.
 * @param failed  told of such a one
 */
export function boundConsoles<G extends { readonly paths: ConsolePaths }>(
  guests: Iterable<G>,
  keepBytes: number,
  failed: (guest: G, error: unknown) => void,
): void {
  for (const guest of guests)
    try {
      boundConsole(guest.paths, keepBytes);
    } catch (error) {
      failed(guest, error);
    }
}

/**
 * Keeps a console bounded. QEMU holds the file open and appends, so it cannot be renamed away: its end is
 * copied into `console.log.1`, then it is cut to nothing (appending writers go on at the new end). All calls
 * are synchronous and the last look comes right before the cut, so that no more than microseconds of output
 * can fall between. Where no room is left for the copy, what is cut is lost: the room is needed more.
 *
 * @returns whether it was cut
 */
export function boundConsole(paths: ConsolePaths, keepBytes: number): boolean {
  if (sizeOf(paths.consoleLog) <= keepBytes * 2) return false;
  const source = openSync(paths.consoleLog, "r+");
  try {
    keepEnd(source, paths.consoleLogBefore, keepBytes);
    ftruncateSync(source, 0);
  } finally {
    closeSync(source);
  }
  return true;
}

/** Copies the end of an open file; nothing where there is no room. */
function keepEnd(source: number, to: string, keepBytes: number): void {
  const temporary = `${to}.tmp`;
  const target = openSync(temporary, "w", 0o600);
  try {
    let at = Math.max(0, fstatSync(source).size - keepBytes);
    const block = Buffer.alloc(64 * 1024);
    for (
      let n = readSync(source, block, 0, block.length, at);
      n > 0;
      n = readSync(source, block, 0, block.length, at)
    ) {
      writeSync(target, block, 0, n);
      at += n;
    }
  } catch (error) {
    rmSync(temporary, { force: true });
    if (!NO_ROOM.has(String((error as NodeJS.ErrnoException).code))) throw error;
    return;
  } finally {
    closeSync(target);
  }
  renameSync(temporary, to);
}

const NO_ROOM: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/**
 * The last bytes of a console over the cut. @returns fewer when there are not as many, nothing before the
 * first start
 */
export function consoleTail(paths: ConsolePaths, maxBytes: number): Uint8Array {
  const now = fileTail(paths.consoleLog, maxBytes);
  if (now.length >= maxBytes) return now;
  return Buffer.concat([fileTail(paths.consoleLogBefore, maxBytes - now.length), now]);
}

/** The last bytes of any file; nothing when there is none. */
export function fileTail(path: string, maxBytes: number): Buffer {
  if (maxBytes <= 0 || sizeOf(path) === 0) return Buffer.alloc(0);
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, maxBytes));
    return tail.subarray(0, readSync(file, tail, 0, tail.length, size - tail.length));
  } finally {
    closeSync(file);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
