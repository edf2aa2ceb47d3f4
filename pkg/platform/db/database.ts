import { Kysely, Transaction, WithSchemaPlugin } from "kysely";
import pLimit from "p-limit";
import type { Ctx } from "../../kernel/ctx.js";
import { traced } from "../../kernel/ctx.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import type { Clock } from "../../kernel/time.js";
import { systemClock } from "../process/clock.js";
import { whenEnded } from "../process/abort.js";
import { toDbError } from "./classify.js";
import { BoundConnection, kyselyProps } from "./connection.js";
import { DbError, DbErrors } from "./errors.js";
import type { AccessKind, DbMetrics, DbSample } from "./metrics.js";
import type { DbPool, Session } from "./pool.js";
import { Repeatable, rerun } from "./rerun.js";

export interface WriteOptions {
  /**
   * `read-committed` is for queues whose order is kept by a locked row: it neither fails nor makes others
   * fail with conflicts. Everything else is serializable.
   */
  readonly isolation?: "serializable" | "read-committed";
}

/**
 * Typed access to one schema. Every call takes one session of the pool, and ends (telling the server to stop)
 * when the context is cancelled or its deadline passes. Names are for spans and metrics: `"instances.get"`.
 * Built queries find their tables in the schema; in raw `sql` name it: `sql.table(`${db.schema}.instances`)`.
 *
 * @throws DB_UNAVAILABLE when there is no database, CONTENTION after too many conflicts; a `DbError` for
 *   failed statements
 */
export interface Database<S> {
  readonly schema: string;
  /** A REPEATABLE READ, READ ONLY transaction: all its queries see one snapshot. May run again. */
  read<T>(ctx: Ctx, name: string, fn: (tx: Kysely<S>) => Promise<T>): Promise<T>;
  /**
   * A SERIALIZABLE transaction, run again as a whole after a conflict: nothing but SQL inside, and nothing
   * outside is changed before it has returned. An error of `fn` rolls back and passes through; a statement
   * that failed rolls back even when `fn` swallows its error.
   * @throws COMMIT_UNKNOWN when the connection broke during the commit
   */
  write<T>(
    ctx: Ctx,
    name: string,
    fn: (tx: Transaction<S>) => Promise<T>,
    options?: WriteOptions,
  ): Promise<T>;
  /**
   * One statement that commits itself, in the server's default isolation: for reads on hot paths, and for
   * writes of rows named by their key whose condition looks at those rows alone (a compare-and-set). Any
   * wider condition belongs into a `write`: PostgreSQL does not count these statements among its serializable
   * transactions, which is what keeps them cheap and keeps them from making writers fail.
   * @throws COMMIT_UNKNOWN when the connection broke under a statement that is not a plain SELECT
   */
  statement<T>(ctx: Ctx, name: string, fn: (db: Kysely<S>) => Promise<T>): Promise<T>;
  /** Ends the access, not the pool, which others may share. */
  close(): Promise<void>;
}

const afterEnd = (): KilonovaError =>
  CommonErrors.CANCELLED({ what: "A query after the end of its transaction" });

const BEGIN = {
  read: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
  write: "BEGIN ISOLATION LEVEL SERIALIZABLE",
  "read-committed": "BEGIN ISOLATION LEVEL READ COMMITTED",
} as const;

/**
 * What has met so many conflicts waits for its turn among others that have: they would only fail each other
 * again. Twenty writers of one row need four attempts at most so, and fifteen without.
 */
const FREE_ATTEMPTS = 2;

/** Opens a schema of the pool's database; costs nothing until first used. */
export function openDatabase<S>(
  pool: DbPool,
  options: { readonly schema: string; readonly clock?: Clock; readonly metrics?: DbMetrics },
): Database<S> {
  const { schema, clock = systemClock, metrics = pool.metrics } = options;
  const plugins = [new WithSchemaPlugin(schema)];
  let closed = false;
  /** Nothing is locked while it waits for its turn. */
  const contended = pLimit(1);

  async function call<T>(
    ctx: Ctx,
    kind: AccessKind,
    name: string,
    attempt: (session: Session, connection: BoundConnection) => Promise<T>,
  ): Promise<T> {
    if (closed) throw DbErrors.DB_UNAVAILABLE({});
    const startedMs = clock.monotonicMs();
    let attempts = 0;
    const observe = (outcome: DbSample["outcome"]): void =>
      metrics?.observe({ kind, name, attempts, outcome, seconds: (clock.monotonicMs() - startedMs) / 1000 });
    try {
      const result = await traced(ctx, `db.${kind} ${name}`, { "db.namespace": schema }, (inner) =>
        rerun(inner, clock, async (number) => {
          attempts = number;
          const once = async (): Promise<T> => {
            const session = await acquire(pool, inner);
            return withSession(inner, session, kind === "statement" ? 1 : Infinity, (connection) =>
              attempt(session, connection),
            );
          };
          return number > FREE_ATTEMPTS ? contended(once) : once();
        }),
      );
      observe("ok");
      return result;
    } catch (error) {
      observe(
        error instanceof DbError || (error instanceof KilonovaError && error.domain === "db")
          ? "failed"
          : "refused",
      );
      throw error;
    }
  }

  const transaction = <T>(
    ctx: Ctx,
    kind: "read" | "write",
    name: string,
    begin: keyof typeof BEGIN,
    fn: (tx: Transaction<S>) => Promise<T>,
  ): Promise<T> =>
    call(ctx, kind, name, (session, connection) =>
      runTransaction(session, connection, begin, () =>
        fn(new Transaction<S>(kyselyProps(plugins, connection))),
      ),
    );

  return {
    schema,
    read: (ctx, name, fn) => transaction(ctx, "read", name, "read", fn),
    write: (ctx, name, fn, { isolation } = {}) =>
      transaction(ctx, "write", name, isolation === "read-committed" ? isolation : "write", fn),
    statement: (ctx, name, fn) =>
      call(ctx, "statement", name, (session, connection) =>
        runStatement(session, connection, () => fn(new Kysely<S>(kyselyProps(plugins, connection)))),
      ),
    close: async () => {
      closed = true;
    },
  };
}

async function acquire(pool: DbPool, ctx: Ctx): Promise<Session> {
  try {
    return await pool.acquire(ctx);
  } catch (error) {
    if (error instanceof DbError && error.failure === "lost") throw new Repeatable(error);
    throw error;
  }
}

/**
 * Runs `work` until it settles or the context ends; in the latter case the session is cancelled and thrown
 * away.
 */
async function withSession<T>(
  ctx: Ctx,
  session: Session,
  maxQueries: number,
  work: (connection: BoundConnection) => Promise<T>,
): Promise<T> {
  const connection = new BoundConnection(session, maxQueries);
  let stop: (() => void) | undefined;
  const ended = new Promise<never>((_, reject) => {
    stop = whenEnded(ctx, (reason) => {
      connection.end(() => reason);
      session.discard({ cancel: true });
      reject(reason);
    });
  });
  try {
    return await Promise.race([work(connection), ended]);
  } finally {
    stop?.();
    connection.end(afterEnd);
  }
}

async function runTransaction<T>(
  session: Session,
  connection: BoundConnection,
  begin: keyof typeof BEGIN,
  fn: () => Promise<T>,
): Promise<T> {
  let result: T;
  try {
    await connection.control(BEGIN[begin]);
    result = await fn();
    if (connection.failure !== undefined) throw connection.failure;
  } catch (error) {
    await rollback(session, connection);
    if (connection.failure !== undefined && isRepeatable(connection.failure))
      throw new Repeatable(connection.failure);
    throw error;
  }
  await commit(session, connection, begin === "read");
  return result;
}

async function commit(session: Session, connection: BoundConnection, readOnly: boolean): Promise<void> {
  try {
    await connection.control("COMMIT");
    session.release();
  } catch (error) {
    const failure = toDbError(error);
    session.discard();
    if (failure.failure === "conflict") throw new Repeatable(failure);
    if (failure.failure !== "lost" && failure.failure !== "ambiguous" && failure.failure !== "timeout")
      throw failure;
    throw readOnly ? new Repeatable(failure) : DbErrors.COMMIT_UNKNOWN({}, { cause: failure });
  }
}

async function rollback(session: Session, connection: BoundConnection): Promise<void> {
  const failure = connection.failure?.failure;
  if (failure === "lost" || failure === "stale-plan") return session.discard();
  try {
    await connection.control("ROLLBACK");
    session.release();
  } catch {
    // A session that cannot even roll back is closed; the server then rolls back by itself.
    session.discard();
  }
}

async function runStatement<T>(
  session: Session,
  connection: BoundConnection,
  fn: () => Promise<T>,
): Promise<T> {
  try {
    const result = await fn();
    await connection.idle();
    session.release();
    return result;
  } catch (error) {
    await connection.idle();
    const failure = connection.failure;
    if (failure === undefined) {
      session.release();
      throw error;
    }
    const broken =
      failure.failure === "lost" || failure.failure === "stale-plan" || failure.failure === "ambiguous";
    if (broken) session.discard();
    else session.release();
    if (failure.failure === "conflict" || failure.failure === "stale-plan") throw new Repeatable(failure);
    if (!broken) throw error;
    throw connection.onlyReads ? new Repeatable(failure) : DbErrors.COMMIT_UNKNOWN({}, { cause: failure });
  }
}

const isRepeatable = ({ failure }: DbError): boolean =>
  failure === "conflict" || failure === "lost" || failure === "stale-plan";
