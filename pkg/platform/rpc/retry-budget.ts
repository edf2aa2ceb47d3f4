import type { Ctx } from "../../kernel/index.js";
import { remainingMs } from "../../kernel/index.js";

const BASE_MS = 50;
const CAP_MS = 1000;

/**
 * Retries with full jitter, but only while retries are a small part of all calls: each call earns a tenth of
 * a retry, at most 20 saved up. A broken server is then not flooded by its callers.
 */
export class RetryBudget {
  #tokens = 20;

  async run<T>(
    ctx: Ctx,
    attempts: number,
    retryable: (error: unknown) => boolean,
    fn: () => Promise<T>,
  ): Promise<T> {
    this.#tokens = Math.min(20, this.#tokens + 0.1);
    for (let attempt = 1; ; attempt++) {
      try {
        return await fn();
      } catch (error) {
        const delay = Math.random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt);
        if (
          attempt >= attempts ||
          !retryable(error) ||
          this.#tokens < 1 ||
          ctx.signal.aborted ||
          remainingMs(ctx) <= delay
        )
          throw error;
        this.#tokens -= 1;
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }
}
