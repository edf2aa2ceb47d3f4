import { CreateErrors } from "../errors.js";
import type { Counts } from "./counts.js";

/** What a project may have of a resource and has; -1 is unlimited. */
export interface Quota {
  readonly limit: bigint;
  readonly used: bigint;
}

/** What one more server takes, by the resource's name. */
export type Need = Readonly<Record<"instances" | "cores" | "ram", number>>;

/** Records that one request becomes at most, whatever the quota says. */
export const MOST_AT_ONCE = 1000;

/**
 * How many servers of a request are worth asking for: all, or as many as the quota bears now, or one more
 * than that when not even the least number fits, so that the refusal comes from where quota is decided. A
 * request for two thousand million servers must not become as many records first.
 * @throws TOO_MANY_SERVERS when the least number is beyond what one request may make
 */
export function affordable({ min, max }: Counts, need: Need, quotas: ReadonlyMap<string, Quota>): number {
  const rooms = Object.entries(need).map(([resource, amount]) => room(quotas.get(resource), amount));
  const fits = Math.max(0, Math.min(...rooms));
  if (fits < min) return Math.min(min, fits + 1, MOST_AT_ONCE);
  if (min > MOST_AT_ONCE) throw CreateErrors.TOO_MANY_SERVERS({ asked: min, limit: MOST_AT_ONCE });
  return Math.min(max, fits, MOST_AT_ONCE);
}

function room(quota: Quota | undefined, amount: number): number {
  if (quota === undefined || quota.limit < 0n || amount <= 0) return Infinity;
  return Math.floor(Number(quota.limit - quota.used) / amount);
}
