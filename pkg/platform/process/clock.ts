import { setTimeout as sleep } from "node:timers/promises";
import type { Clock, Instant } from "../../kernel/time.js";

/**
 * The machine's clock. Microseconds come from `Date.now()` with the monotonic clock's fraction, so `now()`
 * follows corrections of the system time and still tells calls within one millisecond apart.
 */
export const systemClock: Clock = {
  now: () => wallMicros(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    try {
      await sleep(Math.max(0, ms), undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

let lastMs = 0;
let lastMonotonic = 0;

function wallMicros(): Instant {
  const ms = Date.now();
  const monotonic = performance.now();
  if (ms !== lastMs) {
    lastMs = ms;
    lastMonotonic = monotonic;
  }
  const fraction = Math.min(999, Math.floor((monotonic - lastMonotonic) * 1000));
  return BigInt(ms) * 1000n + BigInt(fraction);
}
