/**
 * Counts what is open per key, and refuses more than a limit. For what waits: it costs little while it does,
 * so it takes no turns, but everything that is open costs memory.
 */
export class KeyedLimits {
  readonly #open = new Map<string, number>();

  /** @returns gives it back, once; undefined when the key has that many open already */
  take(key: string, limit: number): (() => void) | undefined {
    const open = this.#open.get(key) ?? 0;
    if (open >= limit) return undefined;
    this.#open.set(key, open + 1);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left > 0) this.#open.set(key, left);
      else this.#open.delete(key);
    };
  }
}
