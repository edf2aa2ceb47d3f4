import { renameSync, statSync } from "node:fs";
import { pino } from "pino";

/** Where log lines go. Lines may wait for each other, but no longer than until `flush`. */
export interface LogFile {
  write(line: string): void;
  flush(): void;
  close(): Promise<void>;
}

export interface FileBounds {
  /** Of one file, in bytes; a new one is begun once it has them. */
  readonly maxBytes: number;
  /** How many full ones are kept beside it, as `<path>.1` (the newest), `.2` … */
  readonly kept: number;
  /** The longest that a line waits for others. Default 100. */
  readonly longestWaitMs?: number;
}

/** Lines wait for each other until they have this many bytes: to write one costs more than to make it. */
const TOGETHER_BYTES = 4096;
/** What waits at most for a disk that has no room. */
const MOST_WAITING_BYTES = 1 << 20;
/**
 * Appends log lines to a file, readable by the owner only. In all it takes `maxBytes × (kept + 1)`. Lines
 * arrive within a tenth of a second, after a `flush` at once, and at the latest when the process exits, once
 * the file is open. While it cannot be written (full disk, no descriptor left) lines are lost and the process
 * goes on.
 */
export function openFileDestination(
  path: string,
  { maxBytes, kept, longestWaitMs = 100 }: FileBounds,
): LogFile {
  const file = pino.destination({
    dest: path,
    append: true,
    mkdir: true,
    mode: 0o600,
    sync: false,
    minLength: TOGETHER_BYTES,
  });
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  /** Bytes that wait. */
  let waiting = 0;
  let isOpen = false;
  let isFailing = false;
  file.on("write", (written: number) => {
    isFailing = false;
    waiting -= written;
    bytes += written;
    if (bytes < maxBytes) return;
    bytes = 0;
    shift(path, kept);
    file.reopen();
  });
  file.on("error", (error: Error) => {
    isFailing = true;
    process.stderr.write(`the log ${path} cannot be written: ${error.message}\n`);
  });
  let timer: NodeJS.Timeout | undefined;
  /** A flush wants all that waits to be written; one write may be under way, and takes 16 KiB at most. */
  let isWanted = false;
  const writeOut = (): void => {
    if (isOpen && waiting > 0) file.flush();
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    isWanted = true;
    writeOut();
  };
  const goOn = (): void => {
    if (!isWanted) return;
    isWanted = waiting > 0;
    writeOut();
  };
  file.on("ready", () => {
    isOpen = true;
    goOn();
  });
  file.on("drain", goOn);
  // What the library does when the process exits: it tries for ever on a full disk.
  const flushSync = file.flushSync.bind(file);
  file.flushSync = () => {
    if (isOpen && !isFailing) flushSync();
  };
  return {
    write: (line) => {
      if (isFailing && (!isOpen || waiting > MOST_WAITING_BYTES)) return;
      waiting += Buffer.byteLength(line);
      file.write(line);
      timer ??= setTimeout(flush, longestWaitMs).unref();
    },
    flush,
    close: async () => {
      clearTimeout(timer);
      if (isFailing) return;
      const closed = new Promise<void>((resolve) => file.once("close", resolve));
      file.end();
      await closed;
    },
  };
}

/** Makes each file one older; the oldest is overwritten. */
function shift(path: string, kept: number): void {
  for (let age = kept; age > 0; age--) {
    const from = age === 1 ? path : `${path}.${age - 1}`;
    if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${path}.${age}`);
  }
}
