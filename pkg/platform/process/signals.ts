import type { Logger } from "../../kernel/logger.js";

/** The part of `process` that signals need; handed in for tests. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): void;
}

/**
 * The process's manners: the first SIGINT or SIGTERM drains and ends with 0 (1 when the drain fails), a
 * second one ends at once with 130 or 143; SIGUSR2 writes a report of the process's state to the log.
 * @returns a function that takes the handlers away
 */
export function onSignals(options: {
  readonly log: Logger;
  readonly drain: () => Promise<void>;
  readonly report?: () => Readonly<Record<string, unknown>>;
  readonly source?: SignalSource;
}): () => void {
  const { log, drain, report, source = process } = options;
  let draining = false;
  const finish = (signal: NodeJS.Signals, number: number) => (): void => {
    if (draining) {
      log.warn("process.exit.forced", { signal });
      source.exit(128 + number);
      return;
    }
    draining = true;
    log.info("process.drain.begin", { signal });
    drain().then(
      () => source.exit(0),
      (error: unknown) => {
        log.error("process.drain.failed", { error });
        source.exit(1);
      },
    );
  };
  const onReport = (): void => {
    try {
      log.info("process.report", report?.() ?? {});
    } catch (error) {
      log.error("process.report.failed", { error });
    }
  };
  const handlers: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ["SIGINT", finish("SIGINT", 2)],
    ["SIGTERM", finish("SIGTERM", 15)],
    ["SIGUSR2", onReport],
  ];
  for (const [signal, handler] of handlers) source.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) source.off(signal, handler);
  };
}
