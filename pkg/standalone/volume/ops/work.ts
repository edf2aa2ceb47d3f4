import type { Ctx, Ids, Logger } from "../../../kernel/index.js";
import { rootCtx } from "../../../kernel/index.js";
import { E } from "../errors.js";

interface Item {
  readonly name: string;
  readonly run: (ctx: Ctx) => Promise<void>;
}

export interface WorkOptions {
  readonly atOnce: number;
  /** Items that may wait. */
  readonly waiting: number;
  readonly ids: Ids;
  readonly log: Logger;
}

/**
 * Work that outlives its request, a few pieces at a time in the order of arrival. What is cut off by a stop
 * or a crash is asked for again at the next start, from what is stored.
 */
export class Work {
  readonly #options: WorkOptions;
  readonly #queue: Item[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** @throws TOO_BUSY when no more may wait: ask before anything is stored */
  demandRoom(): void {
    if (this.#queue.length >= this.#options.waiting) throw E.TOO_BUSY({});
  }

  /**
   * Takes it in, beyond the bound too: it is stored already, so there are no more of it than quotas allow.
   */
  submit(name: string, run: (ctx: Ctx) => Promise<void>): void {
    this.#queue.push({ name, run });
    this.#next();
  }

  /** Stops taking items up, and cuts off what runs. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#queue.length = 0;
    await Promise.allSettled(this.#running);
  }

  #next(): void {
    while (this.#running.size < this.#options.atOnce && !this.#closing.signal.aborted) {
      const item = this.#queue.shift();
      if (!item) return;
      const done = this.#run(item).finally(() => {
        this.#running.delete(done);
        this.#next();
      });
      this.#running.add(done);
    }
  }

  async #run({ name, run }: Item): Promise<void> {
    const { ids, log } = this.#options;
    const ctx = rootCtx({ requestId: `req-${ids.uuid()}`, log, signal: this.#closing.signal });
    try {
      await run(ctx);
    } catch (error) {
      if (!this.#closing.signal.aborted) log.error("volume.work.failed", { name, error });
    }
  }
}
