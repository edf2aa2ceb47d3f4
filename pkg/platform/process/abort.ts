import type { Ctx } from "../../kernel/ctx.js";
import { endsBy } from "../../kernel/ctx.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import { whenAborted } from "../../kernel/signals.js";

/** Why a context ended, as an error of ours. */
export function abortReason(ctx: Ctx): KilonovaError {
  const reason: unknown = ctx.signal.reason;
  if (reason instanceof KilonovaError) return reason;
  const late = reason instanceof Error && reason.name === "TimeoutError";
  return late
    ? CommonErrors.DEADLINE_EXCEEDED({ what: "The request" }, { cause: reason })
    : CommonErrors.CANCELLED({ what: "The request" }, { cause: reason });
}

/**
 * Calls `onEnd` once when the context is cancelled or its deadline passes, whichever comes first.
 * @returns a function that stops watching
 */
export function whenEnded(ctx: Ctx, onEnd: (reason: KilonovaError) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    leave();
  };
  const leave = whenAborted(ctx.signal, () => {
    clearTimeout(timer);
    onEnd(abortReason(ctx));
  });
  if (!ctx.signal.aborted && ctx.deadlineMs !== undefined && !endsBy(ctx.signal, ctx.deadlineMs)) {
    const onDeadline = (): void => {
      stop();
      onEnd(CommonErrors.DEADLINE_EXCEEDED({ what: "The request" }));
    };
    timer = setTimeout(onDeadline, Math.max(0, ctx.deadlineMs - Date.now()));
  }
  return stop;
}
