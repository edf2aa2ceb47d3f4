import { E } from "../errors.js";

/** A version `3.minor`. */
export type Minor = number;

export const MAX_MINOR: Minor = 68;
export const versionText = (minor: Minor): string => `3.${minor}`;

/**
 * Reads `OpenStack-API-Version`, which may speak to several services; the first version when it says nothing
 * to this one.
 * @throws VERSION_MALFORMED, VERSION_OUT_OF_RANGE
 */
export function readMinor(header: string | undefined): Minor {
  const wish = (header ?? "")
    .split(",")
    .map((part) => part.trim().split(/\s+/))
    .find(([service]) => service?.toLowerCase() === "volume")?.[1];
  if (wish === undefined) return 0;
  if (wish === "latest") return MAX_MINOR;
  const match = /^([1-9]\d{0,5})\.(0|[1-9]\d{0,5})$/.exec(wish);
  if (!match) throw E.VERSION_MALFORMED({ version: wish.slice(0, 40) });
  const minor = Number(match[2]);
  if (match[1] !== "3" || minor > MAX_MINOR)
    throw E.VERSION_OUT_OF_RANGE({ version: wish, min: versionText(0), max: versionText(MAX_MINOR) });
  return minor;
}

/** @throws VERSION_NOT_ON_METHOD below `since` */
export function demandMinor(minor: Minor, since: Minor): void {
  if (minor < since) throw E.VERSION_NOT_ON_METHOD({ version: versionText(minor) });
}
