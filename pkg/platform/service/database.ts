import { isRetryable } from "../../kernel/index.js";
import type { DbPool, Migration, PoolOptions } from "../db/index.js";
import { dbMetrics, openPool, pendingMigrations } from "../db/index.js";
import { systemClock } from "../process/index.js";
import { ConfigErrors } from "../config/index.js";
import { ServiceErrors } from "./errors.js";
import type { ServiceProcess } from "./process.js";

const RETRY_MS = 1_000;

type Process = Pick<ServiceProcess, "name" | "ctx" | "log" | "lifecycle" | "metrics" | "report">;

/** The databases of one process: one pool per URL, however many schemas lie behind it. */
export class Pools {
  readonly #process: Process;
  readonly #pools = new Map<string, DbPool>();
  readonly #bounded = new Map<string, DbPool>();

  constructor(process: Process) {
    this.#process = process;
    process.report("databases", () =>
      [...this.#pools.values(), ...this.#bounded.values()].map((pool) => pool.stats()),
    );
  }

  /** @param option  names the URL's option in the error when it is empty */
  async open(option: string, url: string, maxConnections: number): Promise<DbPool> {
    if (!url) throw ConfigErrors.CONFIG_INVALID({ problems: `- ${option}: must be set` });
    const known = this.#pools.get(url);
    if (known) return known;
    return this.#start(this.#pools, url, { max: maxConnections });
  }

  /** Connections apart from those of `open`, whose statements end after a while. */
  async openBounded(url: string, max: number, statementTimeoutMs: number): Promise<DbPool> {
    return this.#bounded.get(url) ?? this.#start(this.#bounded, url, { max, statementTimeoutMs });
  }

  #start(pools: Map<string, DbPool>, url: string, bounds: Partial<PoolOptions>): Promise<DbPool> {
    const { lifecycle, name, log, metrics } = this.#process;
    return lifecycle.start("database", async () => {
      const pool = openPool({
        connectionString: url,
        ...bounds,
        applicationName: `kilonova-${name}`,
        log,
        metrics: dbMetrics(metrics),
      });
      pools.set(url, pool);
      return { value: pool, stop: () => pool.close() };
    });
  }

  /**
   * Waits until the database answers, and makes sure that its schema is not older than this version. Services
   * never migrate: replicas of two versions run side by side during an upgrade, and the operator says when it
   * begins.
   * @throws MIGRATIONS_PENDING
   */
  async requireMigrated(pool: DbPool, schema: string, migrations: readonly Migration[]): Promise<void> {
    const { ctx, log, name } = this.#process;
    for (;;) {
      try {
        const pending = await pendingMigrations(ctx, pool, schema, migrations);
        if (pending.length > 0)
          throw ServiceErrors.MIGRATIONS_PENDING({ schema, pending: pending.join(", "), service: name });
        return;
      } catch (error) {
        if (!isRetryable(error) || ctx.signal.aborted) throw error;
        log.warn("service.database.waiting", { schema, error });
        await systemClock.sleep(RETRY_MS, ctx.signal);
      }
    }
  }
}
