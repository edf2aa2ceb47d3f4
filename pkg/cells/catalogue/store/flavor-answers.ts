import { LRUCache } from "lru-cache";

const MAX_ANSWERS = 2000;
/** How long another process's change may go unseen here. */
const FRESH_MS = 1_000;

/**
 * Answers about flavors, kept until any flavor changes through this process, and at most a second because it
 * may change through another. Flavors are read with nearly every request and change a few times a year.
 */
export class FlavorAnswers {
  readonly #answers = new LRUCache<string, object>({
    max: MAX_ANSWERS,
    ttl: FRESH_MS,
    // How old an answer may be is no matter of milliseconds, and reading the clock is.
    ttlResolution: FRESH_MS / 20,
  });
  /** Grows with each change: what was read before one is not kept after it. */
  #epoch = 0;

  async get<T extends object>(question: string, read: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(question);
    if (known) return known as T;
    const epoch = this.#epoch;
    const answer = await read();
    if (epoch === this.#epoch) this.#answers.set(question, answer);
    return answer;
  }

  /** Runs a change, and forgets whatever it ended in. */
  async change<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } finally {
      this.forget();
    }
  }

  forget(): void {
    this.#epoch += 1;
    this.#answers.clear();
  }
}
