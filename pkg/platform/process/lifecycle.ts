import type { Logger } from "../../kernel/logger.js";
import type { Clock } from "../../kernel/time.js";
import { systemClock } from "./clock.js";
import { ProcessErrors } from "./errors.js";

/** What a part gives back once it runs. */
export interface Started<T> {
  readonly value: T;
  /** Ends the part within about `budgetMs`: stop accepting, finish or checkpoint, let go. */
  stop?(budgetMs: number): Promise<void>;
}

/** The parts of a process in the order of their start; they stop in the reverse order. */
export interface Lifecycle {
  /**
   * Starts a part. When it fails, everything started before is stopped and the error passes through.
   * @throws what `start` throws, or what the failed start threw that stops everything; STOPPING once `stop`
   *   was called
   */
  start<T>(name: string, start: () => Promise<Started<T>>): Promise<T>;
  /**
   * Stops all parts, last first, and may be called again. A part that fails or overruns is logged and left
   * behind.
   * @throws STOP_TIMED_OUT naming the parts that did not end in time
   */
  stop(): Promise<void>;
}

interface Part {
  readonly name: string;
  stop(budgetMs: number): Promise<void>;
}

/** @param budgetMs  for the stop as a whole; every part may use what is left of it */
export function createLifecycle(options: {
  readonly log: Logger;
  readonly budgetMs: number;
  readonly clock?: Clock;
}): Lifecycle {
  const { log, budgetMs, clock = systemClock } = options;
  const parts: Part[] = [];
  let stopped: Promise<void> | undefined;
  /** Why everything stops, when a start failed: parts that start at the same time must not hide it. */
  let failure: unknown;

  async function stopOne(part: Part, endMs: number): Promise<boolean> {
    const startedMs = clock.monotonicMs();
    const leftMs = Math.max(0, endMs - startedMs);
    const patience = new AbortController();
    const late = clock.sleep(leftMs, patience.signal).then(
      () => "late" as const,
      () => "late" as const,
    );
    const ended = part.stop(leftMs).then(
      () => "ended" as const,
      (error: unknown) => {
        log.error("part.stop.failed", { part: part.name, error });
        return "ended" as const;
      },
    );
    const outcome = await Promise.race([ended, late]);
    patience.abort();
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    if (outcome === "late") log.error("part.stop.late", { part: part.name, durationMs });
    else log.debug("part.stop.done", { part: part.name, durationMs });
    return outcome === "ended";
  }

  async function stopAll(): Promise<void> {
    const endMs = clock.monotonicMs() + budgetMs;
    const late: string[] = [];
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (!(await stopOne(part, endMs))) late.push(part.name);
    }
    if (late.length > 0) throw ProcessErrors.STOP_TIMED_OUT({ names: late.join(", ") });
  }

  const stop = (): Promise<void> => (stopped ??= stopAll());
  return {
    stop,
    start: async <T>(name: string, start: () => Promise<Started<T>>): Promise<T> => {
      if (stopped !== undefined) throw failure ?? ProcessErrors.STOPPING({});
      const startedMs = clock.monotonicMs();
      let started: Started<T>;
      try {
        started = await start();
      } catch (error) {
        failure ??= error;
        await stop().catch(() => {});
        throw error;
      }
      const part: Part = { name, stop: (leftMs) => started.stop?.(leftMs) ?? Promise.resolve() };
      // Told to stop while it was starting: it would otherwise be forgotten.
      if (stopped !== undefined) {
        await stopOne(part, clock.monotonicMs() + budgetMs);
        throw failure ?? ProcessErrors.STOPPING({});
      }
      parts.push(part);
      log.debug("part.start.done", { part: name, durationMs: Math.round(clock.monotonicMs() - startedMs) });
      return started.value;
    },
  };
}
