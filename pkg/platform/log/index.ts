import { pino } from "pino";
import type { DestinationStream, Logger as PinoLogger } from "pino";
import type { LogFields, Logger } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Field names whose values never reach a log, wherever they stand. */
const SECRET_FIELDS = [
  "password",
  "adminPassword",
  "admin_password",
  "adminPass",
  "token",
  "userData",
  "user_data",
  "secret",
  "privateKey",
  "private_key",
];

/** Causes of causes that are written: a chain may be a circle. */
const MOST_CAUSES = 10;

/**
 * A structured logger over pino: one JSON object per line with time, level, event and fields; secrets print
 * as `***`.
 */
export function createLogger(options: {
  level: LogLevel;
  destination?: DestinationStream;
  fields?: LogFields;
}): Logger {
  const base = pino(
    {
      level: options.level,
      base: null,
      messageKey: "event",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((f) => [f, `*.${f}`]), censor: "***" },
      serializers: { error: (error: unknown) => describeError(error, MOST_CAUSES) },
    },
    options.destination ?? pino.destination(2),
  );
  return new BoundLogger(base, options.fields ?? {});
}

/**
 * Fields are joined when a line is written: every call has a logger of its own, and few of them write any.
 */
class BoundLogger implements Logger {
  readonly #target: PinoLogger;
  readonly #parent: BoundLogger | undefined;
  readonly #own: LogFields;

  constructor(target: PinoLogger, own: LogFields, parent?: BoundLogger) {
    this.#target = target;
    this.#own = own;
    this.#parent = parent;
  }

  debug(event: string, fields?: LogFields): void {
    this.#write("debug", event, fields);
  }
  info(event: string, fields?: LogFields): void {
    this.#write("info", event, fields);
  }
  warn(event: string, fields?: LogFields): void {
    this.#write("warn", event, fields);
  }
  error(event: string, fields?: LogFields): void {
    this.#write("error", event, fields);
  }
  child(fields: LogFields): Logger {
    return new BoundLogger(this.#target, fields, this);
  }

  #write(level: LogLevel, event: string, fields: LogFields | undefined): void {
    if (this.#target.isLevelEnabled(level)) this.#target[level]({ ...this.#bound(), ...fields }, event);
  }

  #bound(): LogFields {
    return this.#parent === undefined ? this.#own : { ...this.#parent.#bound(), ...this.#own };
  }
}

/** What is no error may be a request with secrets at any depth: objects are named by their type alone. */
function describeError(error: unknown, causes: number): unknown {
  if (!(error instanceof Error))
    return typeof error === "object" && error !== null ? "an object that is no error" : error;
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error instanceof KilonovaError ? { reason: error.reason, facts: error.facts } : {}),
    ...(error.cause === undefined
      ? {}
      : { cause: causes > 0 ? describeError(error.cause, causes - 1) : "…" }),
  };
}
