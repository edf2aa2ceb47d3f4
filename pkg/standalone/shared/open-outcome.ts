import { KilonovaError } from "../../kernel/index.js";
import type { ErrorKind } from "../../kernel/index.js";

/** After a failure of these kinds a change may be stored all the same, perhaps only in a moment. */
const OPEN: ReadonlySet<ErrorKind> = new Set(["unavailable", "deadline", "cancelled", "internal"]);

/** Whether a change that failed so may be stored, now or a little later. */
export const isOutcomeOpen = (error: unknown): boolean =>
  !(error instanceof KilonovaError) || OPEN.has(error.kind);

/**
 * When it is looked again at what may have been stored. A commit whose client has left is over in an instant,
 * on a bad disk in seconds; the database ends by itself what takes longer than the last of these.
 */
const AGAIN_MS = [1_000, 10_000, 65_000] as const;

/** Says again, a few times, what would be said of a change that is stored, as long as that may still come. */
export class OpenOutcomes {
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #againMs: readonly number[];

  constructor(againMs: readonly number[] = AGAIN_MS) {
    this.#againMs = againMs;
  }

  /** @param say  must not throw */
  note(say: () => void): void {
    for (const ms of this.#againMs) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        say();
      }, ms);
      this.#timers.add(timer.unref());
    }
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
