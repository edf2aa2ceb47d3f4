import type { Ctx } from "../../kernel/ctx.js";
import type { Clock } from "../../kernel/time.js";
import type { Stores } from "../stores.js";
import { clientTokens } from "./client-tokens.js";
import { consoleTokens } from "./console-tokens.js";
import { deletedServers } from "./deleted-servers.js";
import { detachedDevices } from "./detached-devices.js";
import { endedOperations } from "./ended-operations.js";
import type { RetentionConfig } from "./options.js";
import { signals } from "./signals.js";
import type { Sweep } from "./sweep.js";
import { taskLogs } from "./task-logs.js";

/** Everything in a database of servers that is kept for a time only, besides its feed. */
export const sweeps: readonly Sweep[] = [
  deletedServers,
  endedOperations,
  clientTokens,
  signals,
  detachedDevices,
  consoleTokens,
  taskLogs,
];

/** How much one turn does of each kind; what is left is the next turn's. */
export interface Bounds {
  readonly page: number;
  readonly pages: number;
}
const BOUNDS: Bounds = { page: 200, pages: 20 };

/**
 * Deletes what is older than it is kept, in one database. Repeatable, and may run anywhere at once: rows go
 * or are gone. A kind that fails does not keep the others.
 * @returns how much went, by the names of those kinds of which something went
 */
export async function sweepOnce(
  stores: Stores,
  database: string,
  ctx: Ctx,
  { clock, config }: RetentionDeps,
  { page, pages }: Bounds = BOUNDS,
): Promise<ReadonlyMap<string, number>> {
  const store = stores.get(database);
  const went = new Map<string, number>();
  for (const { name, in: where, keepMs, run } of sweeps) {
    const keptMs = keepMs(config);
    if (keptMs === undefined || !isIn(where, store === stores.global)) continue;
    const before = clock.now() - BigInt(keptMs) * 1_000n;
    try {
      for (let turn = 0, count = page; turn < pages && count === page; turn++) {
        count = await run(ctx, { store, stores, before, limit: page });
        if (count > 0) went.set(name, (went.get(name) ?? 0) + count);
      }
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      ctx.log.warn("cells.retention.failed", { database, sweep: name, error });
    }
  }
  if (went.size > 0) ctx.log.info("cells.retention.swept", { database, ...Object.fromEntries(went) });
  return went;
}

const isIn = (where: Sweep["in"], isGlobal: boolean): boolean =>
  where === "all" || (where === "global") === isGlobal;

export interface RetentionDeps {
  readonly clock: Clock;
  readonly config: RetentionConfig;
}

/** How often each database is swept. */
const EVERY_MS = 600_000;

/** Sweeps until the context ends; the first time after a pause, since nothing is urgent. */
export const sweepingTask =
  (stores: Stores, database: string, deps: RetentionDeps) =>
  async (ctx: Ctx): Promise<void> => {
    while (!ctx.signal.aborted) {
      await deps.clock.sleep(EVERY_MS, ctx.signal);
      await sweepOnce(stores, database, ctx, deps);
    }
  };
