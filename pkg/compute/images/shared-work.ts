import type { Ctx } from "../../kernel/index.js";

interface Work<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiters: number;
}

/** Runs one task per key however many ask for it; it is cancelled when the last of them has given up. */
export class SharedWork<T> {
  readonly #running = new Map<string, Work<T>>();

  /**
   * @throws the task's failure, for all who wait; the reason of the caller's own abort, for that caller alone
   */
  async run(ctx: Ctx, key: string, task: (ctx: Ctx) => Promise<T>): Promise<T> {
    ctx.signal.throwIfAborted();
    const work = this.#running.get(key) ?? this.#begin(ctx, key, task);
    work.waiters += 1;
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(ctx.signal.reason as Error);
      ctx.signal.addEventListener("abort", leave, { once: true });
    });
    try {
      return await Promise.race([work.result, left]);
    } finally {
      if (leave) ctx.signal.removeEventListener("abort", leave);
      work.waiters -= 1;
      if (work.waiters === 0) work.controller.abort(new Error("nobody waits for it any more"));
    }
  }

  #begin(ctx: Ctx, key: string, task: (ctx: Ctx) => Promise<T>): Work<T> {
    const controller = new AbortController();
    // Whoever came first lends identity and trace, but neither deadline nor cancellation.
    const result = task({ ...ctx, signal: controller.signal, deadlineMs: undefined });
    const work: Work<T> = { result, controller, waiters: 0 };
    this.#running.set(key, work);
    const forget = (): void => {
      if (this.#running.get(key) === work) this.#running.delete(key);
    };
    result.then(forget, forget);
    // A task that nobody waits for is to be begun anew by the next caller, not joined.
    controller.signal.addEventListener("abort", forget, { once: true });
    return work;
  }
}
