/**
 * Work in pieces, at most one piece per turn of the event loop, in the order of asking: whoever has much of it
 * leaves room between the pieces for everybody else's requests.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #running = false;

  /** Resolves when it is this piece's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#running) return;
      this.#running = true;
      setImmediate(() => this.#turn());
    });
  }

  #turn(): void {
    this.#waiting.shift()?.();
    if (this.#waiting.length === 0) this.#running = false;
    else setImmediate(() => this.#turn());
  }
}
