import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for a condition by asking again every few milliseconds; for what announces itself in no other way.
 * @param condition true or a value when it holds; false or undefined when not yet. An error is kept and
 *   counts as "not yet": what must hold all the time is collected here and asserted afterwards
 * @returns what the condition gave
 * @throws Error when it does not hold within `timeoutMs` (5,000 by default), with its last error as cause
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly what?: string; readonly everyMs?: number } = {},
): Promise<Exclude<T, false | undefined>> {
  const { timeoutMs = 5_000, what = "the condition", everyMs = 5 } = options;
  const endMs = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= endMs)
      throw new Error(`waited ${timeoutMs} ms in vain for ${what}`, { cause: last });
    await sleep(everyMs);
  }
}
