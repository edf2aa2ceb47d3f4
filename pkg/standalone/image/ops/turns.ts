import { setTimeout as sleep } from "node:timers/promises";

/** Ends a piece. Repeatable. */
export type EndPiece = () => void;

/** Rest after work, as a multiple of the time that it took. */
const REST = 2;
/** Shorter rests are saved up: timers are no finer than that. */
const SHORTEST_REST_MS = 5;
const LONGEST_REST_MS = 500;

/**
 * Work in pieces, one at a time in the order of asking, with rests between them that are twice as long as the
 * work was: whoever has much of it leaves most of the process and of the disk to everybody else's requests,
 * on a slow machine as on a fast one.
 */
export class Turns {
  readonly #waiting: ((end: EndPiece) => void)[] = [];
  #busy = false;
  #restMs = 0;

  /** Resolves when it is this piece's turn; the next one has to wait for the end of it. */
  next(): Promise<EndPiece> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#busy) this.#begin();
    });
  }

  #begin(): void {
    const first = this.#waiting.shift();
    this.#busy = first !== undefined;
    if (first === undefined) return;
    const startedMs = performance.now();
    let ended = false;
    first(() => {
      if (ended) return;
      ended = true;
      this.#restMs = Math.min(this.#restMs + REST * (performance.now() - startedMs), LONGEST_REST_MS);
      void this.#rest().then(() => this.#begin());
    });
  }

  async #rest(): Promise<void> {
    if (this.#restMs < SHORTEST_REST_MS) return new Promise((resolve) => setImmediate(resolve));
    const restMs = this.#restMs;
    this.#restMs = 0;
    await sleep(restMs);
  }
}
