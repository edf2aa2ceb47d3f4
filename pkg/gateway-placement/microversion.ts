import { RestErrors } from "./errors.js";

/** The newest microversion is 1.39; below 1.0 there is nothing. Versions are known by their minor number. */
export const MAX_MINOR = 39;

/**
 * Reads the version asked for out of `OpenStack-API-Version: placement 1.10[, compute 2.1]`.
 * @returns the minor number; 0 without a header for us
 * @throws VERSION_MALFORMED, VERSION_UNSUPPORTED
 */
export function minorOf(header: string | undefined): number {
  const mine = (header ?? "")
    .split(",")
    .map((one) => one.trim().split(/\s+/))
    .filter(([service]) => service?.toLowerCase() === "placement")
    .at(-1);
  if (mine === undefined) return 0;
  const version = mine[1] ?? "";
  if (version === "latest") return MAX_MINOR;
  const match = /^(\d+)\.(\d+)$/.exec(version);
  if (match === null || mine.length !== 2) throw RestErrors.VERSION_MALFORMED({ version });
  const minor = Number(match[2]);
  if (match[1] !== "1" || minor > MAX_MINOR) throw RestErrors.VERSION_UNSUPPORTED({ version });
  return minor;
}
