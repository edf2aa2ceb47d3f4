import { whenAborted } from "../../kernel/signals.js";

/** Whoever waits for something to happen in this process. A wait leaves nothing behind, however it ends. */
export class WakeUps {
  readonly #waiting = new Set<() => void>();

  /** Resolves at the next `wakeAll`, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        leave();
        resolve();
      };
      this.#waiting.add(wake);
      const leave = whenAborted(signal, wake);
    });
  }

  wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  get size(): number {
    return this.#waiting.size;
  }
}
