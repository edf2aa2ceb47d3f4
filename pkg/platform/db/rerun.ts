import type { Ctx } from "../../kernel/ctx.js";
import { remainingMs } from "../../kernel/ctx.js";
import type { Clock } from "../../kernel/time.js";
import { abortReason } from "../process/abort.js";
import { DbError, DbErrors } from "./errors.js";

/**
 * Conflicts are cheap and end soon under jitter: fifteen attempts bridge about three seconds of contention.
 */
const CONFLICT_ATTEMPTS = 15;
/** A lost connection usually means an idle one that a restart had closed; the next is fresh. */
const LOST_ATTEMPTS = 4;
const BASE_MS = 4;
const CAP_MS = 300;

/**
 * Full jitter: anywhere between nothing and the doubled bound (AWS architecture blog, "Exponential Backoff
 * And Jitter").
 */
export const backoffMs = (attempt: number, random: () => number): number =>
  random() * Math.min(CAP_MS, BASE_MS * 2 ** attempt);

/**
 * How an attempt ended that may be repeated: the transaction is known to be rolled back, or harmless to
 * repeat.
 */
export class Repeatable extends Error {
  readonly failure: DbError;
  constructor(failure: DbError) {
    super("transaction did not happen", { cause: failure });
    this.failure = failure;
  }
}

/**
 * Runs attempts until one does not end in `Repeatable`, within bounds and the context's time.
 * @throws CONTENTION or DB_UNAVAILABLE when the bound is reached; the reason of the context when that ends
 *   first
 */
export async function rerun<T>(ctx: Ctx, clock: Clock, attempt: (number: number) => Promise<T>): Promise<T> {
  let lost = 0;
  for (let number = 1; ; number++) {
    try {
      return await attempt(number);
    } catch (error) {
      if (!(error instanceof Repeatable)) throw error;
      const { failure } = error;
      if (ctx.signal.aborted) throw abortReason(ctx);
      if (failure.failure === "lost" && ++lost >= LOST_ATTEMPTS)
        throw DbErrors.DB_UNAVAILABLE({}, { cause: failure });
      if (number >= CONFLICT_ATTEMPTS) throw DbErrors.CONTENTION({}, { cause: failure });
      const waitMs = backoffMs(number, Math.random) * (failure.failure === "lost" ? 4 : 1);
      if (waitMs >= remainingMs(ctx))
        throw failure.failure === "lost"
          ? DbErrors.DB_UNAVAILABLE({}, { cause: failure })
          : DbErrors.CONTENTION({}, { cause: failure });
      await clock.sleep(waitMs, ctx.signal);
    }
  }
}
