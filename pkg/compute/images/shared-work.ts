import type { Ctx } from "../../kernel/index.js";
import { whenAborted } from "../../kernel/index.js";

type Listener<P> = (progress: P) => void;

interface Work<T, P> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  readonly waiters: Set<{ readonly tell: Listener<P> }>;
  readonly told: { latest?: P };
}

/** Runs one task per key however many ask for it; it is cancelled when the last of them has given up. */
export class SharedWork<T, P = never> {
  readonly #running = new Map<string, Work<T, P>>();

  /**
   * @param tell  how far the task is, from wherever it is now
   * @throws the task's failure, for all who wait; the reason of the caller's own abort, for that caller alone
   */
  async run(
    ctx: Ctx,
    key: string,
    task: (ctx: Ctx, tell: Listener<P>) => Promise<T>,
    tell: Listener<P> = () => {},
  ): Promise<T> {
    ctx.signal.throwIfAborted();
    const work = this.#running.get(key) ?? this.#begin(ctx, key, task);
    const waiter = { tell };
    work.waiters.add(waiter);
    if (work.told.latest !== undefined) tell(work.told.latest);
    let stay = (): void => {};
    const left = new Promise<never>((_, reject) => {
      stay = whenAborted(ctx.signal, () => reject(ctx.signal.reason as Error));
    });
    try {
      return await Promise.race([work.result, left]);
    } finally {
      stay();
      work.waiters.delete(waiter);
      if (work.waiters.size === 0) work.controller.abort(new Error("nobody waits for it any more"));
    }
  }

  #begin(ctx: Ctx, key: string, task: (ctx: Ctx, tell: Listener<P>) => Promise<T>): Work<T, P> {
    const controller = new AbortController();
    const waiters: Work<T, P>["waiters"] = new Set();
    const told: Work<T, P>["told"] = {};
    const tell = (progress: P): void => {
      told.latest = progress;
      for (const waiter of waiters) waiter.tell(progress);
    };
    // Whoever came first lends identity and trace, but neither deadline nor cancellation.
    const result = task({ ...ctx, signal: controller.signal, deadlineMs: undefined }, tell);
    const work: Work<T, P> = { result, controller, waiters, told };
    this.#running.set(key, work);
    const forget = (): void => {
      if (this.#running.get(key) === work) this.#running.delete(key);
    };
    result.then(forget, forget);
    // A task that nobody waits for is to be begun anew by the next caller, not joined.
    whenAborted(controller.signal, forget);
    return work;
  }
}
