import { CommonErrors, asKilonovaError } from "./errors.js";

/** Whom a signal calls: they share its one listener. */
const CALLED = Symbol("called");
type Calling = AbortSignal & { [CALLED]?: Set<() => void> };

/**
 * Calls back when the signal aborts, or at once when it has. Any number may wait for one signal, at the same
 * price. An event target's own listeners are chained instead: each new one is compared with all, and one that
 * is taken off still holds the next, and with it all that came after.
 * @param signal  not one of `AbortSignal.any` or `timeout`, which live for as long as anybody listens
 * @param callback  called once, however often it is given; what it throws is a stray error of the process
 * @returns takes it back; without that a long-lived signal remembers it
 */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return nothing;
  }
  const called = callsOf(signal);
  called.add(callback);
  return () => called.delete(callback);
}

/** As `whenAborted`, for the first of several signals: called once. */
export function whenFirstAborted(signals: readonly AbortSignal[], callback: () => void): () => void {
  if (signals.some(({ aborted }) => aborted)) {
    callback();
    return nothing;
  }
  const leaves = signals.map((signal) => whenAborted(signal, () => first()));
  const leave = (): void => leaves.forEach((one) => one());
  const first = (): void => {
    leave();
    callback();
  };
  return leave;
}

/**
 * A signal that aborts with the first of several, for its reason. Unlike one of `AbortSignal.any` it may be
 * waited for by `whenAborted`.
 * @returns also what lets go of the signals; without that long-lived ones remember it
 */
export function firstOf(signals: readonly AbortSignal[]): {
  readonly signal: AbortSignal;
  leave(): void;
} {
  const controller = new AbortController();
  const leave = whenFirstAborted(signals, () =>
    controller.abort(signals.find(({ aborted }) => aborted)?.reason),
  );
  return { signal: controller.signal, leave };
}

/** Whether anybody waits for the signal by `whenAborted`. */
export const isAwaited = (signal: AbortSignal): boolean => ((signal as Calling)[CALLED]?.size ?? 0) > 0;

function callsOf(signal: Calling): Set<() => void> {
  const known = signal[CALLED];
  if (known) return known;
  const called = new Set<() => void>();
  signal[CALLED] = called;
  signal.addEventListener("abort", () => called.forEach(callApart), { once: true });
  return called;
}

/** As an event target does: one that throws takes nothing from the others. */
function callApart(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

const nothing = (): void => {};

/**
 * Aborts the controller when the signal does; the reason is the signal's, or what `reasonOf` makes of it.
 * @returns takes the listener off again; without that a long-lived signal remembers every controller
 */
export function follow(
  controller: AbortController,
  signal: AbortSignal,
  reasonOf: (reason: unknown) => unknown = (reason) => reason,
): () => void {
  return whenAborted(signal, () => controller.abort(reasonOf(signal.reason)));
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
    const leave = whenAborted(signal, () => reject(abortReason(signal)));
    promise.then(
      (value) => {
        leave();
        resolve(value);
      },
      (error: unknown) => {
        leave();
        reject(error);
      },
    );
  });
}

const abortReason = (signal: AbortSignal): unknown =>
  asKilonovaError(signal.reason).kind === "internal"
    ? CommonErrors.CANCELLED({ what: "The call" })
    : signal.reason;
