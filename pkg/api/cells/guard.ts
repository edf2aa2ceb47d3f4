import type { Ctx } from "../../kernel/index.js";
import { KilonovaError, mapLimit, remainingMs, within } from "../../kernel/index.js";

/** How long to wait for cells. */
export interface GuardTimes {
  readonly cellTimeoutMs: number;
  readonly downCellTimeoutMs: number;
}

/** What a fan-out brought: every database is in exactly one of the two. */
export interface Answers<T> {
  readonly answers: readonly { readonly database: string; readonly value: T }[];
  readonly unreachable: readonly string[];
}

const FAN_OUT_LIMIT = 64;

/**
 * Keeps a silent database from slowing down everybody: after its first silence, requests spend only a short
 * time on it.
 */
export class CellGuard {
  readonly #times: GuardTimes;
  readonly #down = new Set<string>();

  constructor(times: GuardTimes) {
    this.#times = times;
  }

  isDown(database: string): boolean {
    return this.#down.has(database);
  }

  /**
   * Calls one database within its budget, which leaves the caller time to answer.
   * @throws what the call throws; a silent database is `unavailable` or `deadline`
   */
  async call<T>(ctx: Ctx, database: string, fn: (ctx: Ctx) => Promise<T>): Promise<T> {
    const patienceMs = this.isDown(database) ? this.#times.downCellTimeoutMs : this.#times.cellTimeoutMs;
    const leftMs = usableMs(ctx);
    try {
      const value = await within(ctx, Math.min(leftMs, patienceMs), `Database ${database}`, fn);
      this.#down.delete(database);
      return value;
    } catch (error) {
      // A caller in a hurry tells nothing about the database: its time was up, not ours.
      const hurried = leftMs < patienceMs && error instanceof KilonovaError && error.kind === "deadline";
      if (!hurried) this.#judge(ctx, database, error);
      throw error;
    }
  }

  /** Calls all at once. @throws the first error that is no silence */
  async fanOut<T>(
    ctx: Ctx,
    databases: readonly string[],
    fn: (ctx: Ctx, database: string) => Promise<T>,
  ): Promise<Answers<T>> {
    const outcomes = await mapLimit(databases, FAN_OUT_LIMIT, async (database) => {
      try {
        return { database, value: await this.call(ctx, database, (inner) => fn(inner, database)) };
      } catch (error) {
        if (!isSilence(error) || ctx.signal.aborted) throw error;
        return { database, value: undefined };
      }
    });
    return {
      answers: outcomes.flatMap(({ database, value }) => (value === undefined ? [] : [{ database, value }])),
      unreachable: outcomes.flatMap(({ database, value }) => (value === undefined ? [database] : [])),
    };
  }

  #judge(ctx: Ctx, database: string, error: unknown): void {
    if (isSilence(error)) {
      if (ctx.signal.aborted) return; // the caller left: that tells nothing about the database
      if (!this.#down.has(database)) ctx.log.warn("api.cell.down", { database, error });
      this.#down.add(database);
    } else if (error instanceof KilonovaError && error.kind !== "cancelled" && error.kind !== "internal") {
      this.#down.delete(database);
    }
  }
}

/** What is left of the caller's time, less what it takes to answer him. */
function usableMs(ctx: Ctx): number {
  const leftMs = remainingMs(ctx);
  return leftMs === Infinity ? Infinity : leftMs - Math.min(500, leftMs / 10);
}

/**
 * Errors of kinds that usually mean silence, but that a database gives which is there: one statement was too
 * slow or had too much company, or somebody asked too much of the service before it.
 */
const ANSWERS: ReadonlySet<string> = new Set([
  "db TIMEOUT",
  "db CONTENTION",
  "db CONFLICT",
  "db COMMIT_UNKNOWN",
  "rpc OVERLOADED",
]);

/** Whether nobody answered, as opposed to an answer that says no. */
export const isSilence = (error: unknown): boolean =>
  error instanceof KilonovaError &&
  (error.kind === "unavailable" || error.kind === "deadline") &&
  !ANSWERS.has(`${error.domain} ${error.reason}`);
