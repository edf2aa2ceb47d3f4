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
 * Work that outlives its request, a few pieces at a time in the order of arrival, and never two of one name.
 * What was promised is stored: whatever is cut off, or fails without having stored that it did, is asked for
 * again from there.
 */
export class Work {
  readonly #options: WorkOptions;
  readonly #queue: Item[] = [];
  /** By name. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: WorkOptions) {
    this.#options = options;
  }

  /** @throws TOO_BUSY when no more may wait: ask before anything is stored */
  demandRoom(): void {
    if (this.#queue.length >= this.#options.waiting) throw E.TOO_BUSY({});
  }

  /** Whether work of the name runs or waits. */
  has(name: string): boolean {
    return this.#running.has(name) || this.#queue.some((item) => item.name === name);
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
    await Promise.allSettled(this.#running.values());
  }

  #next(): void {
    while (this.#running.size < this.#options.atOnce && !this.#closing.signal.aborted) {
      const at = this.#queue.findIndex(({ name }) => !this.#running.has(name));
      const [item] = at < 0 ? [] : this.#queue.splice(at, 1);
      if (!item) return;
      const done = this.#run(item).finally(() => {
        this.#running.delete(item.name);
        this.#next();
      });
      this.#running.set(item.name, done);
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
