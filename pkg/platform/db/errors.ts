import { KilonovaError, defineErrors } from "../../kernel/errors.js";

/** What a caller of the database may meet, apart from the `DbError`s that name a constraint. */
export const DbErrors = defineErrors("db", {
  DB_UNAVAILABLE: ["unavailable", (_p: Record<string, never>) => "The database is unavailable at this time."],
  CONTENTION: [
    "unavailable",
    (_p: Record<string, never>) => "Too many concurrent changes; please try again.",
  ],
  /**
   * The connection broke while committing: the change may or may not have happened. Repeat only what is keyed
   * for repetition.
   */
  COMMIT_UNKNOWN: [
    "unavailable",
    (_p: Record<string, never>) => "It is not known whether the change was stored.",
  ],
  MIGRATION_CHANGED: [
    "refused",
    (p: { schema: string; migration: string }) =>
      `Migration ${p.migration} of ${p.schema} differs from the one that was applied.`,
  ],
  MIGRATIONS_DIVERGED: [
    "refused",
    (p: { schema: string; migration: string }) =>
      `Schema ${p.schema} was migrated by another line of versions (${p.migration}).`,
  ],
  MIGRATION_FAILED: [
    "internal",
    (p: { schema: string; migration: string }) => `Migration ${p.migration} of ${p.schema} failed.`,
  ],
});

/**
 * What a failed statement means for the one who sent it.
 * - `conflict`: the transaction is rolled back for certain and may simply run again (40001, 40P01)
 * - `lost`: no connection, or it broke; uncommitted work is gone
 * - `ambiguous`: the result of a commit is unknown (40003)
 * - `stale-plan`: a prepared statement outlived a migration; run again on another connection
 * - `timeout`: the server's own statement limit, or a cancel request
 */
export type FailureClass =
  | "conflict"
  | "lost"
  | "ambiguous"
  | "stale-plan"
  | "timeout"
  | "unique"
  | "foreign-key"
  | "not-null"
  | "check"
  | "exclusion"
  | "bug";

/**
 * A statement that failed. It shows its caller nothing but a fixed sentence; SQLSTATE and constraint are for
 * stores, which turn the ones they expect into reasons of their own (see `violates`). Uncaught, it is an
 * internal error.
 */
export class DbError extends KilonovaError {
  readonly failure: FailureClass;
  readonly sqlstate: string;
  /** Name of the violated constraint or unique index, "" when none was. */
  readonly constraint: string;

  constructor(init: { failure: FailureClass; sqlstate: string; constraint: string; cause: unknown }) {
    super({
      kind: kindOf(init.failure),
      domain: "db",
      reason: reasonOf(init.failure),
      message: "An unexpected error prevented the server from fulfilling the request.",
      cause: init.cause,
    });
    this.name = "DbError";
    this.failure = init.failure;
    this.sqlstate = init.sqlstate;
    this.constraint = init.constraint;
  }
}

const kindOf = (failure: FailureClass): KilonovaError["kind"] =>
  failure === "timeout"
    ? "deadline"
    : failure === "lost" || failure === "conflict" || failure === "ambiguous" || failure === "stale-plan"
      ? "unavailable"
      : "internal";

const reasonOf = (failure: FailureClass): string =>
  failure === "bug" ? "STATEMENT_FAILED" : failure.toUpperCase().replaceAll("-", "_");

/**
 * Whether an error is the violation of a constraint, by the name given to it in its migration (a unique index
 * has one too). Catch it outside the `write` whose statement failed: PostgreSQL refuses everything else in
 * that transaction.
 */
export const violates = (error: unknown, constraint: string): error is DbError =>
  error instanceof DbError && constraint !== "" && error.constraint === constraint;
