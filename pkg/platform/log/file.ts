import { renameSync, statSync } from "node:fs";
import { pino } from "pino";

export type LogFile = ReturnType<typeof pino.destination>;

export interface FileBounds {
  /** Of one file, in bytes; a new one is begun once it has them. */
  readonly maxBytes: number;
  /** How many full ones are kept beside it, as `<path>.1` (the newest), `.2` … */
  readonly kept: number;
}

/** Appends log lines to a file, readable by the owner only. In all it takes `maxBytes × (kept + 1)`. */
export function openFileDestination(path: string, { maxBytes, kept }: FileBounds): LogFile {
  const file = pino.destination({ dest: path, append: true, mkdir: true, mode: 0o600, sync: false });
  let bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  file.on("write", (written: number) => {
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
  return file;
}

/** Makes each file one older; the oldest is overwritten. */
function shift(path: string, kept: number): void {
  for (let age = kept; age > 0; age--) {
    const from = age === 1 ? path : `${path}.${age - 1}`;
    if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${path}.${age}`);
  }
}
