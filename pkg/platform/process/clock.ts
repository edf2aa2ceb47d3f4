import { whenAborted } from "../../kernel/signals.js";
import type { Clock, Instant } from "../../kernel/time.js";

/**
 * The machine's clock. Microseconds come from `Date.now()` with the monotonic clock's fraction, so `now()`
 * follows corrections of the system time and still tells calls within one millisecond apart.
 */
export const systemClock: Clock = {
  now: () => wallMicros(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      let leave = (): void => {};
      const timer = setTimeout(
        () => {
          leave();
          resolve();
        },
        Math.max(0, ms),
      );
      if (signal === undefined) return;
      leave = whenAborted(signal, () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    }),
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
