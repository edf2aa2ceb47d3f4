import type { Clock, Instant } from "../kernel/time.js";
import { whenAborted } from "../kernel/signals.js";

interface Sleeper {
  readonly atMs: number;
  wake(): void;
}

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves both clocks forward and wakes the sleepers that are due, each in its turn; their continuations have
   * run when it resolves.
   */
  advance(ms: number): Promise<void>;
  /** Moves only the wall clock (an NTP step); may go backwards. */
  setNow(at: Instant): void;
  /** How many sleeps are waiting. */
  readonly sleeping: number;
}

/** @param startAt  wall clock at the beginning; 2026-01-01T00:00:00Z by default */
export function fakeClock(startAt: Instant = 1_767_225_600_000_000n): FakeClock {
  let wall = startAt;
  let monotonic = 0;
  const sleepers = new Set<Sleeper>();
  const move = (ms: number): void => {
    monotonic += ms;
    wall += BigInt(Math.round(ms * 1000));
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    now: () => wall,
    monotonicMs: () => monotonic,
    setNow: (at) => {
      wall = at;
    },
    get sleeping() {
      return sleepers.size;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const sleeper: Sleeper = {
          atMs: monotonic + Math.max(0, ms),
          wake: () => {
            leave?.();
            resolve();
          },
        };
        const leave =
          signal &&
          whenAborted(signal, () => {
            sleepers.delete(sleeper);
            reject(signal.reason as Error);
          });
        sleepers.add(sleeper);
      }),
    advance: async (ms) => {
      const endMs = monotonic + ms;
      await settle();
      for (;;) {
        const due = [...sleepers].filter((one) => one.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        sleepers.delete(due);
        move(Math.max(0, due.atMs - monotonic));
        due.wake();
        await settle();
      }
      move(endMs - monotonic);
      await settle();
    },
  };
}
