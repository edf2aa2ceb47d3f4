import { pino } from "pino";
import type { DestinationStream } from "pino";

/** Appends log lines to a file, readable by the owner only. */
export const openFileDestination = (path: string): DestinationStream =>
  pino.destination({ dest: path, append: true, mkdir: true, mode: 0o600, sync: false });
