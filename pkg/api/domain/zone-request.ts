import { CreateErrors } from "../errors.js";

/**
 * What REST's availability_zone asks for: a zone, and maybe one host or node, which skips the scheduler's
 * filters.
 */
export interface ZoneRequest {
  readonly zone: string;
  readonly host: string;
  readonly node: string;
}

/**
 * Takes `zone`, `zone:host`, `zone:host:node` and `zone::node` apart.
 * @throws BAD_AVAILABILITY_ZONE with more than two colons
 */
export function parseZone(text: string, defaultZone: string): ZoneRequest {
  const parts = text.split(":");
  if (parts.length > 3) throw CreateErrors.BAD_AVAILABILITY_ZONE({});
  const [zone = "", host = "", node = ""] = parts;
  return { zone: zone || defaultZone, host, node };
}
