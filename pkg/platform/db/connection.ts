import { DefaultQueryExecutor, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import type {
  CompiledQuery,
  ConnectionProvider,
  DatabaseConnection,
  Dialect,
  Driver,
  KyselyProps,
  QueryResult,
  WithSchemaPlugin,
} from "kysely";
import type pg from "pg";
import { CommonErrors } from "../../kernel/errors.js";
import type { KilonovaError } from "../../kernel/errors.js";
import { toDbError } from "./classify.js";
import type { DbError } from "./errors.js";
import type { Session } from "./pool.js";
import { toParameter } from "./values.js";

/**
 * One session in the hands of one transaction or statement. Queries run one after the other in the order they
 * were asked for, and the first failure is remembered, so that a swallowed error cannot turn a commit into a
 * silent rollback.
 */
export class BoundConnection implements DatabaseConnection, ConnectionProvider {
  readonly #session: Session;
  readonly #maxQueries: number;
  #queries = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #ended: (() => KilonovaError) | undefined;
  /** The first statement that failed. */
  failure: DbError | undefined;
  /** Whether everything sent so far may be sent again without harm even if it took effect. */
  onlyReads = true;

  constructor(session: Session, maxQueries: number) {
    this.#session = session;
    this.#maxQueries = maxQueries;
  }

  provideConnection<T>(consumer: (connection: DatabaseConnection) => Promise<T>): Promise<T> {
    return consumer(this);
  }

  /** Resolves when nothing asked for so far is still running. */
  async idle(): Promise<void> {
    while (this.#pending > 0) await this.#tail;
  }

  /**
   * Refuses all further queries with this reason: the transaction is over, but its function may not know yet.
   */
  end(reason: () => KilonovaError): void {
    this.#ended ??= reason;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (++this.#queries > this.#maxQueries)
      throw new Error("a statement() may send only one query; use read() or write()");
    if (query.query.kind !== "SelectQueryNode" || query.query.with !== undefined) this.onlyReads = false;
    const result = await this.#inTurn(() => this.#send(query));
    const { command, rowCount, rows } = result;
    const affected =
      command === "INSERT" || command === "UPDATE" || command === "DELETE" || command === "MERGE";
    return affected
      ? { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) }
      : { rows: (rows ?? []) as R[] };
  }

  /** Transaction control; not counted, not prepared. */
  async control(text: string): Promise<pg.QueryResult> {
    return this.#inTurn(() => this.#session.client.query(text));
  }

  /** Rows come in pages by key, never through a cursor that would keep a snapshot open. */
  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw CommonErrors.UNIMPLEMENTED({ what: "Streaming of rows" });
  }

  #send(query: CompiledQuery): Promise<pg.QueryResult> {
    const { sql: text, parameters } = query;
    const values = parameters.map(toParameter);
    // Raw text without parameters may hold several statements, which cannot be prepared.
    const name =
      query.query.kind === "RawNode" && values.length === 0 ? undefined : this.#session.names.nameOf(text);
    return this.#session.client.query(name === undefined ? { text, values } : { name, text, values });
  }

  #inTurn(send: () => Promise<pg.QueryResult>): Promise<pg.QueryResult> {
    this.#pending++;
    const turn = this.#pending === 1 ? this.#run(send) : this.#tail.then(() => this.#run(send));
    this.#tail = turn.catch(() => {});
    return turn;
  }

  async #run(send: () => Promise<pg.QueryResult>): Promise<pg.QueryResult> {
    try {
      if (this.#ended !== undefined) throw this.#ended();
      return await send();
    } catch (error) {
      if (this.#ended !== undefined) throw this.#ended();
      const wrapped = toDbError(error);
      this.failure ??= wrapped;
      throw wrapped;
    } finally {
      this.#pending--;
    }
  }
}

const compiler = new PostgresQueryCompiler();
const adapter = new PostgresAdapter();
const noDriver: Driver = {
  init: async () => {},
  destroy: async () => {},
  releaseConnection: async () => {},
  acquireConnection: () => Promise.reject(new Error("connections are handed out by Database")),
  beginTransaction: () => Promise.reject(new Error("transactions are begun by Database")),
  commitTransaction: () => Promise.reject(new Error("transactions are ended by Database")),
  rollbackTransaction: () => Promise.reject(new Error("transactions are ended by Database")),
};
const dialect: Dialect = {
  createAdapter: () => adapter,
  createDriver: () => noDriver,
  createQueryCompiler: () => compiler,
  createIntrospector: (db) => new PostgresIntrospector(db),
};

/** What a Kysely over this connection is made of; tables are looked up in `schema`. */
export function kyselyProps(
  plugins: readonly WithSchemaPlugin[],
  connection: ConnectionProvider,
): KyselyProps {
  return {
    config: { dialect },
    dialect,
    driver: noDriver,
    executor: new DefaultQueryExecutor(compiler, adapter, connection, [...plugins]),
  };
}
