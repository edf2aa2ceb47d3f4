import { whenAborted } from "../../../kernel/signals.js";

/**
 * Wakes waiters within one process. Rings are coalesced and may be spurious; nobody may rely on being woken.
 */
export interface Bell {
  ring(): void;
  /**
   * Resolves at the next ring (or at once when it rang since `seen`), when `ms` have passed, or when the
   * signal aborts.
   */
  wait(seen: number, ms: number, signal: AbortSignal): Promise<void>;
  /** How often it rang; take it before looking, hand it to `wait` after. */
  readonly rings: number;
}

export function createBell(): Bell {
  let rings = 0;
  const waiters = new Set<() => void>();
  return {
    get rings() {
      return rings;
    },
    ring: () => {
      rings++;
      for (const wake of [...waiters]) wake();
    },
    wait: (seen, ms, signal) =>
      new Promise((resolve) => {
        if (seen !== rings || signal.aborted) {
          resolve();
          return;
        }
        const wake = (): void => {
          clearTimeout(timer);
          waiters.delete(wake);
          leave();
          resolve();
        };
        const timer = setTimeout(wake, ms);
        waiters.add(wake);
        const leave = whenAborted(signal, wake);
      }),
  };
}
