import { rootCtx, serviceActor } from "../../kernel/ctx.js";
import type { Ctx } from "../../kernel/ctx.js";
import type { Ids } from "../../kernel/ids.js";
import { follow } from "../../kernel/signals.js";
import type { Logger } from "../../kernel/logger.js";
import type { Clock } from "../../kernel/time.js";
import { systemClock } from "./clock.js";
import { systemIds } from "./ids.js";

/**
 * First and longest pause before a failed task runs again; the pause doubles and is jittered between half and
 * whole.
 */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A run this long was healthy: the next failure starts again with the first pause. */
const HEALTHY_MS = 60_000;

export interface TaskState {
  readonly name: string;
  readonly state: "running" | "pausing" | "ended";
  /** How often it was started again after a failure. */
  readonly restarts: number;
}

/**
 * The background loops of a process: started here and nowhere else, so that shutdown and state reports see
 * them all.
 */
export interface Tasks {
  /**
   * Runs `fn` in the background until it returns or the tasks are stopped; a failure is logged and `fn` runs
   * again after a pause. `fn` must heed `ctx.signal`, which is the only way in which it is told to end.
   */
  task(name: string, fn: (ctx: Ctx) => Promise<void>): void;
  states(): readonly TaskState[];
  /** Aborts all and waits for their ends. @returns the names of those still running after the budget */
  stop(budgetMs: number): Promise<readonly string[]>;
}

interface Entry {
  readonly name: string;
  state: TaskState["state"];
  restarts: number;
  readonly done: Promise<void>;
}

/** @param service  the actor of the tasks' contexts */
export function createTasks(options: {
  readonly service: string;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly random?: () => number;
}): Tasks {
  const { service, log, clock = systemClock, ids = systemIds, random = Math.random } = options;
  const stopping = new AbortController();
  const entries: Entry[] = [];

  async function run(entry: Entry, fn: (ctx: Ctx) => Promise<void>): Promise<void> {
    const own = new AbortController();
    const release = follow(own, stopping.signal);
    try {
      await again(entry, fn, own.signal);
    } finally {
      release();
    }
  }

  async function again(entry: Entry, fn: (ctx: Ctx) => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted;) {
      const requestId = `req-${ids.uuid()}`;
      const ctx = rootCtx({
        requestId,
        actor: serviceActor(service),
        signal,
        log: log.child({ task: entry.name, requestId }),
      });
      const startedMs = clock.monotonicMs();
      entry.state = "running";
      try {
        await fn(ctx);
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        failures = clock.monotonicMs() - startedMs >= HEALTHY_MS ? 1 : failures + 1;
        const pauseMs =
          Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)) * (0.5 + random() / 2);
        log.error("task.failed", { task: entry.name, failures, pauseMs: Math.round(pauseMs), error });
        entry.state = "pausing";
        await clock.sleep(pauseMs, stopping.signal).catch(() => {});
        entry.restarts++;
      }
    }
  }

  return {
    task: (name, fn) => {
      const entry: Entry = {
        name,
        state: "running",
        restarts: 0,
        done: Promise.resolve()
          .then(() => run(entry, fn))
          .finally(() => {
            entry.state = "ended";
          }),
      };
      entries.push(entry);
    },
    states: () => entries.map(({ name, state, restarts }) => ({ name, state, restarts })),
    stop: async (budgetMs) => {
      stopping.abort();
      const patience = new AbortController();
      const late = clock.sleep(budgetMs, patience.signal).catch(() => {});
      await Promise.race([Promise.all(entries.map(({ done }) => done)), late]);
      patience.abort();
      return entries.filter(({ state }) => state !== "ended").map(({ name }) => name);
    },
  };
}
