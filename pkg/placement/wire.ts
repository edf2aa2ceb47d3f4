import { rootCtx, serviceActor } from "../kernel/ctx.js";
import type { Ctx } from "../kernel/ctx.js";
import type { Ids } from "../kernel/ids.js";
import type { Logger } from "../kernel/logger.js";
import type { Clock } from "../kernel/time.js";
import type { Database } from "../platform/db/index.js";
import { systemPacer } from "../platform/process/index.js";
import type { ServiceBinding } from "../platform/rpc/index.js";
import { placementBinding } from "./adapters/rpc/service.js";
import { sqlStore } from "./adapters/sql/store.js";
import type { PlacementTables } from "./adapters/sql/tables.js";
import type { PlacementConfig } from "./config.js";
import { createOps } from "./ops/index.js";

export interface PlacementDeps {
  /** Migrated with `placementMigrations`. */
  readonly database: Database<PlacementTables>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly config: PlacementConfig;
}

export interface PlacementService {
  readonly bindings: readonly ServiceBinding[];
  /** Runs upkeep until the context is aborted. */
  start(ctx: Ctx): Promise<void>;
  close(): Promise<void>;
}

const SWEEP_MS = 10 * 60_000;

/** Builds the placement service. */
export function buildPlacement({ database, clock, ids, log, config }: PlacementDeps): PlacementService {
  const store = sqlStore(database, clock);
  const background = (): Ctx =>
    rootCtx({
      requestId: `req-${ids.uuid()}`,
      actor: serviceActor("placement"),
      log,
      deadlineMs: Math.trunc(Number(clock.now() / 1000n)) + config.transactionTimeoutMs,
    });
  const ops = createOps({
    store,
    clock,
    ids,
    background,
    maxBatch: config.maxBatch,
    pacer: systemPacer,
    search: config,
    watchPollMs: config.watchPollMs,
  });
  return {
    bindings: [placementBinding(ops)],
    start: async (ctx) => {
      while (!ctx.signal.aborted) {
        await store
          .sweepTombstones(background(), config.tombstoneRetentionS * 1000)
          .catch((error: unknown) => log.warn("placement.sweep.failed", { error }));
        await clock.sleep(SWEEP_MS, ctx.signal).catch(() => {});
      }
    },
    close: () => database.close(),
  };
}
