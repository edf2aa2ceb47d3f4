import { pino } from "pino";
import type { DestinationStream, Logger as PinoLogger } from "pino";
import type { LogFields, Logger } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Field names whose values never reach a log, wherever they stand. */
const SECRET_FIELDS = ["password", "adminPassword", "admin_password", "adminPass", "token", "userData", "user_data", "secret", "privateKey", "private_key"];

/** Causes of causes that are written: a chain may be a circle. */
const MOST_CAUSES = 10;

/** A structured logger over pino: one JSON object per line with time, level, event and fields; secrets print as `***`. */
export function createLogger(options: { level: LogLevel; destination?: DestinationStream; fields?: LogFields }): Logger {
  const base = pino({
    level: options.level,
    base: null,
    messageKey: "event",
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((f) => [f, `*.${f}`]), censor: "***" },
    serializers: { error: (error: unknown) => describeError(error, MOST_CAUSES) },
  }, options.destination ?? pino.destination(2));
  return wrap(base, options.fields ?? {});
}

/** Fields are joined when a line is written: most contexts have a logger of their own, and few of them write any. */
function wrap(target: PinoLogger, bound: LogFields): Logger {
  return {
    debug: (event, fields) => { if (target.isLevelEnabled("debug")) target.debug({ ...bound, ...fields }, event); },
    info: (event, fields) => target.info({ ...bound, ...fields }, event),
    warn: (event, fields) => target.warn({ ...bound, ...fields }, event),
    error: (event, fields) => target.error({ ...bound, ...fields }, event),
    child: (fields) => wrap(target, { ...bound, ...fields }),
  };
}

/** What is no error may be a request with secrets at any depth: objects are named by their type alone. */
function describeError(error: unknown, causes: number): unknown {
  if (!(error instanceof Error)) return typeof error === "object" && error !== null ? "an object that is no error" : error;
  return {
    name: error.name, message: error.message, stack: error.stack,
    ...(error instanceof KilonovaError ? { reason: error.reason, facts: error.facts } : {}),
    ...(error.cause === undefined ? {} : { cause: causes > 0 ? describeError(error.cause, causes - 1) : "…" }),
  };
}
