import type { Ctx } from "../../kernel/ctx.js";
import type { Clock } from "../../kernel/time.js";

export interface GatheringOptions<I, O> {
  readonly clock: Pick<Clock, "sleep">;
  /** How long the first one waits for others, in ms. */
  readonly windowMs: number;
  /** Most that are done together; more do not wait any longer. */
  readonly most: number;
  /** Does them; answers in their order. */
  readonly work: (ctx: Ctx, items: readonly I[]) => Promise<readonly O[]>;
}

interface Batch<I, O> {
  readonly items: I[];
  readonly full: AbortController;
  readonly answers: Promise<readonly O[]>;
}

/**
 * Does together what many callers ask for one by one: however many they are, there is at most one call of
 * `work` per window, or per `most` of them. An error of `work` is everybody's.
 */
export function gathering<I, O>(options: GatheringOptions<I, O>): (ctx: Ctx, item: I) => Promise<O> {
  const { clock, windowMs, most, work } = options;
  let open: Batch<I, O> | undefined;

  const begin = (ctx: Ctx): Batch<I, O> => {
    const full = new AbortController();
    const items: I[] = [];
    // Others wait for it too: it must not end with its first caller.
    const shared: Ctx = { ...ctx, signal: new AbortController().signal, deadlineMs: undefined };
    const answers = clock
      .sleep(windowMs, full.signal)
      .catch(() => {}) // full
      .then(() => {
        if (open?.items === items) open = undefined;
        return work(shared, items);
      });
    return { items, full, answers };
  };

  return async (ctx, item) => {
    const batch = (open ??= begin(ctx));
    const place = batch.items.push(item) - 1;
    if (batch.items.length >= most) {
      open = undefined;
      batch.full.abort();
    }
    const answer = (await batch.answers)[place];
    if (answer === undefined) throw new Error("work answered fewer than it was given");
    return answer;
  };
}
