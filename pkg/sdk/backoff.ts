/** How failed attempts are spaced. Times in ms. */
export interface Backoff {
  /** Most before the second attempt; doubles with each further one. */
  readonly firstMs: number;
  readonly mostMs: number;
}

export const BACKOFF: Backoff = { firstMs: 100, mostMs: 10_000 };

/**
 * How long to wait before the next attempt.
 *
 * @param attempt  1 after the first failure
 * @param leastMs  what the server asked for
 */
export function pauseMs(backoff: Backoff, attempt: number, leastMs = 0): number {
  const most = Math.min(backoff.mostMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
  return leastMs + Math.random() * most;
}

/** Waits, or throws the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
