import type { Backoff } from "./backoff.js";
import { pauseMs, sleep } from "./backoff.js";
import { mayPass } from "./calls.js";
import { errorOf } from "./errors.js";
import { EventType } from "./messages.gen.js";

/** For one watch. */
export interface WatchOptions {
  readonly signal?: AbortSignal | undefined;
  /** A stream that is silent for so long is dead: the cloud speaks every few seconds. Default 60,000 ms. */
  readonly idleMs?: number | undefined;
}

/** What a watch must know of its events. */
interface Resumable {
  readonly resumeToken?: string;
  readonly type?: EventType;
}

const IDLE_MS = 60_000;

/**
 * Events, over breaks of the connection and restarts of the cloud: `for await` gives each once and in order.
 * It ends when the signal aborts, and by `break`.
 */
export class Watch<E> implements AsyncIterable<E> {
  readonly #open: (resumeToken: string | undefined, signal: AbortSignal) => AsyncIterable<E>;
  readonly #backoff: Backoff;
  readonly #options: WatchOptions;

  constructor(
    open: (resumeToken: string | undefined, signal: AbortSignal) => AsyncIterable<E>,
    backoff: Backoff,
    options: WatchOptions,
  ) {
    this.#open = open;
    this.#backoff = backoff;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<E, void> {
    const { signal } = this.#options;
    const stopped = (): boolean => signal?.aborted === true;
    let token: string | undefined;
    /** Between RESET and SNAPSHOT_END: whoever breaks off there needs the whole snapshot again. */
    let inSnapshot = false;
    let failures = 0;
    const pause = async (leastMs?: number): Promise<void> => {
      failures += 1;
      await sleep(pauseMs(this.#backoff, failures, leastMs), signal).catch(() => undefined);
    };
    while (!stopped()) {
      const silence = new Silence(this.#options.idleMs ?? IDLE_MS, signal);
      try {
        for await (const event of this.#open(token, silence.signal)) {
          silence.broken();
          failures = 0;
          yield event;
          const { resumeToken, type } = event as Resumable;
          if (!inSnapshot) token = resumeToken ?? token;
          if (type === EventType.RESET) inSnapshot = true;
          if (type === EventType.SNAPSHOT_END) {
            inSnapshot = false;
            token = resumeToken ?? token;
          }
        }
        await pause();
      } catch (thrown) {
        if (stopped()) return;
        const error = silence.tooLong ? undefined : errorOf(thrown);
        if (error && !mayPass(error) && error.code !== "CANCELLED") throw error;
        await pause(error?.retryAfterMs);
      } finally {
        silence.end();
      }
      inSnapshot = false;
    }
  }
}

/** Aborts what says nothing for too long, and when the caller wants to stop. */
class Silence {
  readonly #abort = new AbortController();
  readonly #idleMs: number;
  readonly #caller: AbortSignal | undefined;
  readonly #stop = (): void => this.#abort.abort(this.#caller?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  tooLong = false;

  constructor(idleMs: number, caller: AbortSignal | undefined) {
    this.#idleMs = idleMs;
    this.#caller = caller;
    caller?.addEventListener("abort", this.#stop, { once: true });
    this.broken();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Something was said. */
  broken(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.tooLong = true;
      this.#abort.abort();
    }, this.#idleMs);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#stop);
    this.#abort.abort();
  }
}
