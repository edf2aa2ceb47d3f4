import { DbError } from "./errors.js";
import type { FailureClass } from "./errors.js";

const BY_SQLSTATE: Readonly<Record<string, FailureClass>> = {
  "40001": "conflict",
  "40P01": "conflict",
  "40003": "ambiguous",
  "57014": "timeout",
  "55P03": "timeout",
  "57P01": "lost",
  "57P02": "lost",
  "57P03": "lost",
  "57P05": "lost",
  "25P03": "lost",
  "53300": "lost",
  "23505": "unique",
  "23503": "foreign-key",
  "23502": "not-null",
  "23514": "check",
  "23P01": "exclusion",
};

const LOST_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);
/** node-postgres gives a broken connection no code, only these texts (client.js, pg-pool). */
const LOST_TEXTS =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client has encountered a connection error|Client was closed|server closed the connection)/;

interface PgLike {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly constraint?: unknown;
  readonly routine?: unknown;
}

/** Classifies what node-postgres threw. Pure; the table test is the specification. */
export function classify(error: unknown): FailureClass {
  if (error instanceof DbError) return error.failure;
  if (typeof error !== "object" || error === null) return "bug";
  const { code, message, routine } = error as PgLike;
  if (typeof code === "string") {
    if (code === "0A000" && routine === "RevalidateCachedQuery") return "stale-plan";
    if (code.length === 5 && code.startsWith("08")) return "lost";
    const known = BY_SQLSTATE[code];
    if (known !== undefined) return known;
    if (LOST_CODES.has(code)) return "lost";
  }
  if (error instanceof AggregateError && error.errors.some((one) => classify(one) === "lost")) return "lost";
  return typeof message === "string" && LOST_TEXTS.test(message) ? "lost" : "bug";
}

/** Wraps what node-postgres threw so that nothing about SQL shows outside; already wrapped errors pass. */
export function toDbError(error: unknown): DbError {
  if (error instanceof DbError) return error;
  const { code, constraint } = (typeof error === "object" && error !== null ? error : {}) as PgLike;
  return new DbError({
    failure: classify(error),
    cause: error,
    sqlstate: typeof code === "string" ? code : "",
    constraint: typeof constraint === "string" ? constraint : "",
  });
}
