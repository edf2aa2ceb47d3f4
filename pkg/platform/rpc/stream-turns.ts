import type { ServerHttp2Stream } from "node:http2";

/** Streams that begin in one turn of the event loop, of all connections together. */
const PER_TURN = 32;

/** A stream that waits for its turn. */
interface Waiting {
  readonly stream: ServerHttp2Stream;
  start(): void;
}

/**
 * Lets streams of HTTP/2 begin a few at a time, by turns among connections. Node reads up to two megabytes of
 * one connection before it looks at another, and thousands of calls may be in them: begun as they come, they
 * would stop everything else for seconds. Those that wait count to the connection's `maxStreams`, beyond
 * which the library refuses them at little cost; those that were cancelled meanwhile never begin.
 */
export class StreamTurns {
  readonly #waiting = new Map<object, Waiting[]>();
  #left = PER_TURN;
  #scheduled = false;

  /** @param start  called now or in a later turn, unless the stream has ended by then */
  begin(stream: ServerHttp2Stream, start: () => void): void {
    if (this.#left > 0 && this.#waiting.size === 0) {
      this.#left--;
      this.#schedule();
      start();
      return;
    }
    // Until somebody has it.
    stream.on("error", () => {});
    const { session } = stream;
    if (session === undefined) return;
    const waiting = this.#waiting.get(session);
    if (waiting) waiting.push({ stream, start });
    else this.#waiting.set(session, [{ stream, start }]);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    this.#left = PER_TURN;
    for (const [session, waiting] of this.#waiting) {
      this.#waiting.delete(session);
      const next = nextOf(waiting);
      // To the end of the row: this loop comes to it again.
      if (waiting.length > 0) this.#waiting.set(session, waiting);
      if (next === undefined) continue;
      next.start();
      if (--this.#left === 0) break;
    }
    if (this.#waiting.size > 0) this.#schedule();
  }
}

/** Takes the first stream that is still there. */
function nextOf(waiting: Waiting[]): Waiting | undefined {
  const at = waiting.findIndex(({ stream }) => !stream.destroyed);
  const [next] = at < 0 ? [] : waiting.slice(at);
  waiting.splice(0, at < 0 ? waiting.length : at + 1);
  return next;
}
