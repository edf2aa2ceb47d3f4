import { setTimeout as sleep } from "node:timers/promises";

const TICK_MS = 100;
/** When the process did not come to its turn for so long, the machine stood still. */
const STALL_MS = 1_000;

/**
 * Waits for a condition by asking again every few milliseconds; for what announces itself in no other way.
 * Time in which the process itself stood still, as on a busy machine, is not counted.
 * @param condition true or a value when it holds; false or undefined when not yet. An error is kept and
 *   counts as "not yet": what must hold all the time is collected here and asserted afterwards
 * @returns what the condition gave
 * @throws Error when it does not hold within `timeoutMs` (30,000 by default), with its last error as cause
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly what?: string; readonly everyMs?: number } = {},
): Promise<Exclude<T, false | undefined>> {
  const { timeoutMs = 30_000, what = "the condition", everyMs = 5 } = options;
  const stalls = new Stalls();
  const startMs = performance.now();
  let last: unknown;
  try {
    for (;;) {
      try {
        const value = await condition();
        if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
        last = undefined;
      } catch (error) {
        last = error;
      }
      if (performance.now() - startMs - stalls.totalMs() >= timeoutMs)
        throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: last });
      await sleep(everyMs);
    }
  } finally {
    stalls.close();
  }
}

/** Measures how long the process did not come to its turn. */
class Stalls {
  #totalMs = 0;
  #seenMs = performance.now();
  readonly #timer = setInterval(() => this.#look(), TICK_MS);

  totalMs(): number {
    this.#look();
    return this.#totalMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    const lateMs = nowMs - this.#seenMs - TICK_MS;
    if (lateMs > STALL_MS) this.#totalMs += lateMs;
    this.#seenMs = nowMs;
  }
}
