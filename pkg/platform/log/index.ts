import { pino } from "pino";
import type { DestinationStream, Logger as PinoLogger } from "pino";
import type { LogFields, Logger } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import { withoutSecrets } from "./secrets.js";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Causes of causes that are written: a chain may be a circle. */
const MOST_CAUSES = 10;
/** Errors of an AggregateError that are written, and their causes: each of them may be one, too. */
const MOST_ERRORS = 3;

/** Where lines go; what has a `flush` may let them wait for each other. */
export interface LogDestination extends DestinationStream {
  flush?(): void;
}

/**
 * A structured logger over pino: one JSON object per line with time, level, event and fields; secrets print
 * as `***`. Warnings and errors never wait: they may be the last words of a process.
 */
export function createLogger(options: {
  level: LogLevel;
  destination?: LogDestination;
  fields?: LogFields;
}): Logger {
  const destination: LogDestination = options.destination ?? pino.destination(2);
  const target = pino(
    {
      level: options.level,
      base: null,
      messageKey: "event",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => describeError(error, MOST_CAUSES) },
    },
    destination,
  );
  return new BoundLogger({ target, flush: () => destination.flush?.() }, options.fields ?? {});
}

interface Base {
  readonly target: PinoLogger;
  flush(): void;
}

/**
 * Fields are joined when a line is written: every call has a logger of its own, and few of them write any.
 */
class BoundLogger implements Logger {
  readonly #base: Base;
  readonly #parent: BoundLogger | undefined;
  readonly #own: LogFields;

  constructor(base: Base, own: LogFields, parent?: BoundLogger) {
    this.#base = base;
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
    this.#base.flush();
  }
  error(event: string, fields?: LogFields): void {
    this.#write("error", event, fields);
    this.#base.flush();
  }
  child(fields: LogFields): Logger {
    return new BoundLogger(this.#base, fields, this);
  }

  #write(level: LogLevel, event: string, fields: LogFields | undefined): void {
    const { target } = this.#base;
    if (target.isLevelEnabled(level))
      target[level](withoutSecrets(Object.assign(this.#bound(), fields)), event);
  }

  /** @returns an object of its own */
  #bound(): LogFields {
    return Object.assign(this.#parent === undefined ? {} : this.#parent.#bound(), this.#own);
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
    ...(error instanceof KilonovaError ? { reason: error.reason, facts: withoutSecrets(error.facts) } : {}),
    ...(error.cause === undefined
      ? {}
      : { cause: causes > 0 ? describeError(error.cause, causes - 1) : "…" }),
    ...(error instanceof AggregateError
      ? { errors: causes > 0 ? describeErrors(error.errors, Math.min(causes, MOST_ERRORS) - 1) : "…" }
      : {}),
  };
}

const describeErrors = (errors: readonly unknown[], causes: number): readonly unknown[] =>
  errors.slice(0, MOST_ERRORS).map((error) => describeError(error, causes));
