/** Structured values of a log line. Secrets never go in; `error` may hold a thrown value. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A log line is an event name (`instance.build.done`) and fields; never a sentence with values inside. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A logger that adds the fields to each of its lines. */
  child(fields: LogFields): Logger;
}

/** Swallows everything; for tests and for values needed before logging is set up. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
