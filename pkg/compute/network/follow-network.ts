import type { Neutron } from "../../clients/neutron/ports.js";
import { changesExtension } from "../../clients/neutron/ports.js";
import type { Clock, Ctx } from "../../kernel/index.js";

/** One question that waits; below what proxies cut. */
const WAIT_MS = 25_000;
/**
 * Between two readings: many changes in a row cost one reading a second, and the first of them is not held
 * up.
 */
const PAUSE_MS = 1_000;
/** Part of the interval by which readings of many hosts spread, either way. */
const JITTER = 0.2;

export interface FollowDeps {
  readonly neutron: Pick<Neutron, "extensions" | "awaitChange">;
  readonly clock: Pick<Clock, "sleep">;
  /** 0..1 */
  readonly random: () => number;
  /** Reads all again that ports go by, and applies it. */
  readonly refresh: (ctx: Ctx) => Promise<void>;
  /** Interval of readings where the Network service does not tell of changes, in ms. */
  readonly everyMs: number;
}

/**
 * Refreshes at the start and whenever the Network service tells of a change; where it cannot tell, now and
 * then. Runs until the context ends.
 * @throws what a request throws: begin again, and everything is read anew
 * @cost while nothing changes, one request per 25 s to a service that tells; else what `refresh` costs per
 *   interval
 */
export async function followNetwork(
  ctx: Ctx,
  { neutron, clock, random, refresh, everyMs }: FollowDeps,
): Promise<void> {
  for (let seen: string | undefined; !ctx.signal.aborted;) {
    const tells = (await neutron.extensions(ctx)).has(changesExtension);
    const mark = tells ? await neutron.awaitChange(ctx, seen, WAIT_MS) : undefined;
    if (mark !== undefined && mark === seen) continue;
    // The mark is older than what is read now, so whatever comes in between is told of next time.
    await refresh(ctx);
    seen = mark;
    await clock
      .sleep(tells ? PAUSE_MS : everyMs * (1 + JITTER * (2 * random() - 1)), ctx.signal)
      .catch(() => {});
  }
}
