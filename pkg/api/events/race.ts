interface Item<T> {
  readonly stream: AsyncGenerator<T, void>;
  readonly result?: IteratorResult<T, void>;
  readonly error?: unknown;
}

/**
 * Reads several streams as one, each at its own pace, with at most one item of each waiting: a slow reader
 * slows all of them down. Streams may be added while it runs; closing it closes them.
 */
export class StreamRace<T> {
  readonly #streams = new Set<AsyncGenerator<T, void>>();
  readonly #ready: Item<T>[] = [];
  #wake: (() => void) | undefined;

  add(stream: AsyncGenerator<T, void>): void {
    this.#streams.add(stream);
    this.#pull(stream);
  }

  /**
   * @returns the next item of any stream, or undefined when `until` settles first
   * @throws what a stream throws
   */
  async next(until: Promise<unknown>): Promise<T | undefined> {
    // Heard also when an item is there already: a rejection that nobody hears ends the process.
    const settled = until.then(
      () => undefined,
      () => undefined,
    );
    for (;;) {
      const item = this.#ready.shift() ?? (await this.#wait(settled));
      if (item === undefined) return undefined;
      if (item.result === undefined) throw item.error;
      if (!item.result.done) {
        this.#pull(item.stream);
        return item.result.value;
      }
      this.#streams.delete(item.stream);
    }
  }

  async close(): Promise<void> {
    const streams = [...this.#streams];
    this.#streams.clear();
    await Promise.allSettled(streams.map((stream) => stream.return()));
  }

  async #wait(settled: Promise<undefined>): Promise<Item<T> | undefined> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([woken, settled]);
    this.#wake = undefined;
    return this.#ready.shift();
  }

  #pull(stream: AsyncGenerator<T, void>): void {
    const put = (item: Item<T>): void => {
      this.#ready.push(item);
      this.#wake?.();
    };
    stream.next().then(
      (result) => put({ stream, result }),
      (error: unknown) => put({ stream, error }),
    );
  }
}
