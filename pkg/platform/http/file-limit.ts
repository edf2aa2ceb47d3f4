import { readFileSync } from "node:fs";
import type { Logger } from "../../kernel/index.js";

/** For databases, logs, guests, calls between services, and files. */
const RESERVED = 500;

/** Files and sockets that this process may have open at once; undefined where /proc does not tell. */
function fileLimit(): number | undefined {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

/**
 * Whether all doors of a process may be full at once without taking its last descriptor.
 * @param doors  the most connections of each door
 * @returns a sentence for the operator when not
 */
export function descriptorsLacking(doors: readonly number[], limit = fileLimit()): string | undefined {
  const wanted = doors.reduce((sum, most) => sum + most, RESERVED);
  if (limit === undefined || wanted <= limit) return undefined;
  return (
    `This process may have ${limit} files open (ulimit -n), and its ports let ${wanted - RESERVED} connections in: ` +
    `raise it to ${wanted}, or lower rest.maxConnections; until then strangers could stop it.`
  );
}

/** Says it in the log. */
export function warnOfFewDescriptors(log: Logger, doors: readonly number[]): void {
  const problem = descriptorsLacking(doors);
  if (problem !== undefined) log.warn("service.descriptors.few", { problem });
}
