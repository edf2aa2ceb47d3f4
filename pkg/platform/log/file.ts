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
/**
 * Appends log lines to a file, readable by the owner only. In all it takes `maxBytes × (kept + 1)`. Lines
 * arrive within a tenth of a second, after a `flush` at once; none is lost when the process exits.
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
  file.on("write", (written: number) => {
    waiting -= written;
    bytes += written;
    if (bytes < maxBytes) return;
    bytes = 0;
    shift(path, kept);
    file.reopen();
  });
  // A disk that is full, or no descriptor left: lines are lost, the process goes on.
  file.on("error", (error: Error) =>
    process.stderr.write(`the log ${path} cannot be written: ${error.message}\n`),
  );
  let timer: NodeJS.Timeout | undefined;
  /** A flush while a write is under way has to be said again after it. */
  let again = false;
  const writeOut = (): void => {
    if (waiting > 0) file.flush();
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    again = true;
    writeOut();
  };
  for (const done of ["ready", "drain"])
    file.on(done, () => {
      if (again) writeOut();
      again = false;
    });
  return {
    write: (line) => {
      waiting += Buffer.byteLength(line);
      file.write(line);
      timer ??= setTimeout(flush, longestWaitMs).unref();
    },
    flush,
    close: async () => {
      clearTimeout(timer);
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
