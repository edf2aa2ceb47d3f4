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
  signal.addEventListener("abort", onAbort, { once: true });
  return () => signal.removeEventListener("abort", onAbort);
}

/**
 * As `follow`, for the end of a token. The reason is always TOKEN_ENDED: whoever is told it does not know
 * what was done until then, while any other refusal of a token comes before the work begins.
 */
export const followToken = (controller: AbortController, ended: AbortSignal): (() => void) =>
  follow(controller, ended, (cause) => CommonErrors.TOKEN_ENDED({}, { cause }));

/**
 * Settles with the promise, or rejects with the abort reason when that comes first. Leaves nothing behind on
 * the signal, however often it is asked: this, and never `Promise.race` against a promise that lives longer
 * than the call, since such a promise keeps what every race against it was won with.
 */
export function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(abortReason(signal));
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(abortReason(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener("abort", onAbort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener("abort", onAbort);
        reject(error);
      },
    );
  });
}

const abortReason = (signal: AbortSignal): unknown =>
  asKilonovaError(signal.reason).kind === "internal"
    ? CommonErrors.CANCELLED({ what: "The call" })
    : signal.reason;
