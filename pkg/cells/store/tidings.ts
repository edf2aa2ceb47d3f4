/** Somebody who waits for news of one thing. */
export interface Listening {
  /** Resolves when there is news. */
  readonly told: Promise<void>;
  /** Ends the listening; must be called. */
  end(): void;
}

/**
 * News inside one process: who waits for something that another call here may do learns of it at once. It
 * says nothing of what other processes do.
 */
export class Tidings {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Listens from now on. Look whether it has happened only after this. */
  listen(id: string): Listening {
    let tell = (): void => {};
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const all = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, all.add(tell));
    return {
      told,
      end: () => {
        all.delete(tell);
        if (all.size === 0 && this.#listeners.get(id) === all) this.#listeners.delete(id);
      },
    };
  }

  tell(id: string): void {
    for (const tell of this.#listeners.get(id) ?? []) tell();
  }

  /** How many things are listened for. */
  get size(): number {
    return this.#listeners.size;
  }
}
