import type { Clock, Ctx } from "../../kernel/index.js";
import { asKilonovaError, isRetryable } from "../../kernel/index.js";

const AGAIN_MS = 200;

/**
 * Does work of a start again while a service is not there yet, or its database is slow: all of that work can
 * be done twice.
 */
export async function untilReachable<T>(ctx: Ctx, clock: Clock, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const passes = isRetryable(error) || asKilonovaError(error).kind === "deadline";
      if (!passes || ctx.signal.aborted) throw error;
      ctx.log.warn("agent.cell-unreachable", { error });
      await clock.sleep(AGAIN_MS, ctx.signal).catch(() => {});
    }
  }
}
