/**
 * A bounded hand-over from callbacks to one `for await`; when the reader falls behind, the producer is told
 * to start over.
 */
export class EventQueue<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns false when there is no room: the producer must drop all and send a snapshot */
  push(item: T): boolean {
    if (this.#items.length >= this.#limit) return false;
    this.#items.push(item);
    this.#wake?.();
    return true;
  }

  /** Drops what the reader has not taken yet. */
  clear(): void {
    this.#items.length = 0;
  }

  /** Lets the reader finish what is there and then stop. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** @returns the next item, undefined at the end */
  async next(): Promise<T | undefined> {
    while (this.#items.length === 0) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#items.shift();
  }
}
