import { setMaxListeners } from "node:events";
import { CommonErrors, asKilonovaError } from "./errors.js";

/**
 * Aborts the controller when the signal does; the reason is the signal's, or what `reasonOf` makes of it.
 * @returns takes the listener off again; without that a long-lived signal remembers every controller
 */
export function follow(
  controller: AbortController,
  signal: AbortSignal,
  reasonOf: (reason: unknown) => unknown = (reason) => reason,
): () => void {
  const onAbort = (): void => controller.abort(reasonOf(signal.reason));
  if (signal.aborted) {
    onAbort();
    return () => {};
  }
  // Any number of calls may hang on one signal; each takes its listener off.
  setMaxListeners(0, signal);
  signal.addEventListener("abort", onAbort, { once: true });
  return () => signal.removeEventListener("abort", onAbort);
}

/** As `follow`, for the end of a token: the reason is always an error of kind `unauthenticated`. */
export const followToken = (controller: AbortController, ended: AbortSignal): (() => void) =>
  follow(controller, ended, (reason) =>
    asKilonovaError(reason).kind === "unauthenticated" ? reason : CommonErrors.TOKEN_ENDED({}),
  );
