import type { Logger } from "../../kernel/logger.js";

/** The part of `process` that errors without a catcher reach; handed in for tests. */
export interface StraySource {
  on(event: "unhandledRejection" | "uncaughtException", listener: (error: unknown) => void): unknown;
  off(event: "unhandledRejection" | "uncaughtException", listener: (error: unknown) => void): unknown;
  exit(code: number): void;
}

/** `EX_SOFTWARE`: whoever supervises the process starts it again. */
const SOFTWARE_FAULT = 70;

/**
 * Judges errors that nobody caught; each is a fault of ours. A promise that failed unheard concerns only
 * those who should have waited for it: it is logged and counted, and the process goes on. An exception out of
 * a callback leaves something half done: the process logs it, stops as it would when told to, and ends with
 * 70. What is durable was stored before it was answered, so that the next start goes on.
 * @param stop  bounded in time
 * @returns a function that takes the handlers away
 */
export function onStrayErrors(options: {
  readonly log: Logger;
  readonly count: (kind: "rejection" | "exception") => void;
  readonly stop: () => Promise<void>;
  /** Says why the process ends, in one sentence; to stderr by default. */
  readonly tell?: (sentence: string) => void;
  readonly source?: StraySource;
}): () => void {
  const { log, count, stop, tell = console.error, source = process } = options;
  let ending = false;
  const onRejection = (error: unknown): void => {
    count("rejection");
    log.error("process.rejection.stray", { error });
  };
  const onException = (error: unknown): void => {
    count("exception");
    log.error("process.exception.stray", { error });
    if (ending) return;
    ending = true;
    tell(
      "A fault of Kilonova's own ends this process; its cause is in the log (process.exception.stray). Nothing that was accepted is lost: start it again.",
    );
    stop()
      .catch((problem: unknown) => log.error("process.stop.failed", { error: problem }))
      .finally(() => source.exit(SOFTWARE_FAULT));
  };
  source.on("unhandledRejection", onRejection);
  source.on("uncaughtException", onException);
  return () => {
    source.off("unhandledRejection", onRejection);
    source.off("uncaughtException", onException);
  };
}
