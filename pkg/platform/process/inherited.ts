import { closeSync, readFileSync, readdirSync } from "node:fs";

/** Of open(2), in octal as /proc prints it. */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes what whoever started this process left open in it beside standard input, output and error. What Node
 * opens itself is closed in children; Node does that for inherited descriptors too, but only for the lowest.
 * Any other would go on to every program that is started here, guests' among them. Call it before anything
 * else; repeatable.
 * @returns the numbers that were closed
 */
export function closeInherited(): readonly number[] {
  return inheritable().filter((fd) => {
    try {
      closeSync(fd);
      return true;
    } catch {
      // The one with which /proc was read is gone already.
      return false;
    }
  });
}

/** Descriptors above 2 that children would get. */
function inheritable(): readonly number[] {
  return readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => fd > 2 && !isClosedInChildren(fd));
}

function isClosedInChildren(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    return flags !== undefined && (parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    return true;
  }
}
