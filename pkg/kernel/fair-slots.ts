import { whenAborted } from "./signals.js";

/** How slots are shared. */
export interface SlotShares {
  /** Tasks that run at once. */
  readonly slots: number;
  /** Of these, of one key. */
  readonly perKey: number;
  /** Tasks of one key that may wait. */
  readonly queuePerKey: number;
}

/**
 * Lets a few tasks run at once, and shares the places fairly: no key has more than its share, and a place
 * that becomes free goes to the waiting key that has the fewest, in turn.
 *
 * Two others take turns too, and are not this one: `platform/sharing` gives shares that change with the
 * number of active projects, and lets long requests leave theirs; identity's logins take turns by class,
 * address and account within one bound for all, where a newcomer may push out the newest of the longest line.
 * One queue with all of that would be longer than the three.
 */
export class FairSlots {
  readonly #shares: SlotShares;
  /** Keys that wait, the next one first. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #running = new Map<string, number>();
  #total = 0;

  constructor(shares: SlotShares) {
    this.#shares = shares;
  }

  /**
   * @param full  what is thrown when too many of the key wait already
   * @throws the signal's reason when it aborts before the task has begun
   */
  async run<T>(key: string, signal: AbortSignal, full: () => Error, task: () => Promise<T>): Promise<T> {
    await this.#enter(key, signal, full);
    try {
      return await task();
    } finally {
      this.#leave(key);
    }
  }

  #mayRun(key: string): boolean {
    return this.#total < this.#shares.slots && this.#runs(key) < this.#shares.perKey;
  }

  #begin(key: string): void {
    this.#total++;
    this.#running.set(key, this.#runs(key) + 1);
  }

  async #enter(key: string, signal: AbortSignal, full: () => Error): Promise<void> {
    if (signal.aborted) throw signal.reason;
    const queue = this.#waiting.get(key) ?? new Set();
    if (queue.size === 0 && this.#mayRun(key)) return this.#begin(key);
    if (queue.size >= this.#shares.queuePerKey) throw full();
    this.#waiting.set(key, queue);
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        leave();
        this.#begin(key);
        resolve();
      };
      queue.add(begin);
      const leave = whenAborted(signal, () => {
        this.#forget(key, begin);
        reject(signal.reason);
      });
    });
  }

  #leave(key: string): void {
    this.#total--;
    const left = this.#runs(key) - 1;
    if (left === 0) this.#running.delete(key);
    else this.#running.set(key, left);
    const next = this.#next();
    const queue = next === undefined ? undefined : this.#waiting.get(next);
    const [begin] = queue ?? [];
    if (next === undefined || queue === undefined || begin === undefined) return;
    this.#forget(next, begin);
    // To the end of the line, if more of it wait.
    if (queue.size > 0) {
      this.#waiting.delete(next);
      this.#waiting.set(next, queue);
    }
    begin();
  }

  /** Of the keys that wait and may run, the one of which the fewest run. */
  #next(): string | undefined {
    let best: string | undefined;
    for (const key of this.#waiting.keys())
      if (this.#mayRun(key) && (best === undefined || this.#runs(key) < this.#runs(best))) best = key;
    return best;
  }

  #runs(key: string): number {
    return this.#running.get(key) ?? 0;
  }

  #forget(key: string, begin: () => void): void {
    const queue = this.#waiting.get(key);
    queue?.delete(begin);
    if (queue?.size === 0) this.#waiting.delete(key);
  }
}
