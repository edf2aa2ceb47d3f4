import { createConnection } from "node:net";
import pg from "pg";
import type { Ctx } from "../../kernel/ctx.js";
import type { Logger } from "../../kernel/logger.js";
import { silentLogger } from "../../kernel/logger.js";
import { whenAborted } from "../../kernel/signals.js";
import { abortReason } from "../process/abort.js";
import { toDbError } from "./classify.js";
import type { DbMetrics } from "./metrics.js";
import { StatementNames } from "./statement-names.js";
import { columnTypes } from "./values.js";

export interface PoolOptions {
  readonly connectionString?: string;
  /** A host name, or the absolute directory of a unix socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  /** Most connections at once; 10 by default, at least 2 (migrations take two). */
  readonly max?: number;
  /** How long a caller waits for a connection before `DB_UNAVAILABLE`, in milliseconds; 5,000 by default. */
  readonly acquireTimeoutMs?: number;
  /** The server ends statements that run longer, even when we are gone; 60,000 by default. */
  readonly statementTimeoutMs?: number;
  /** Lets the process end while idle connections are open; for tests and one-shot tools. */
  readonly allowExitOnIdle?: boolean;
  readonly applicationName?: string;
  readonly log?: Logger;
  /** Hears of every call of every database that is opened on the pool. */
  readonly metrics?: DbMetrics;
}

/**
 * A session taken from the pool. Give it back exactly once: `release()` when it is clean, `discard()` when in
 * doubt.
 */
export interface Session {
  readonly client: pg.PoolClient;
  readonly names: StatementNames;
  release(): void;
  /** Closes the connection; with `cancel`, first asks the server to end what it is doing. */
  discard(options?: { readonly cancel: boolean }): void;
}

export interface DbPool {
  readonly metrics?: DbMetrics;
  /**
   * @throws a DbError of class `lost` when no connection can be had; the signal's reason when it aborts first
   */
  acquire(ctx: Ctx): Promise<Session>;
  stats(): { readonly total: number; readonly idle: number; readonly waiting: number };
  /** Waits for sessions in use, then closes all. */
  close(): Promise<void>;
}

/** Opens a pool; connects on first use. Sessions run in UTC. */
export function openPool(options: PoolOptions): DbPool {
  const log = options.log ?? silentLogger;
  const pool = new pg.Pool(poolConfig(options));
  pool.on("error", (error) => log.warn("db.connection.lost", { error }));
  // A checked-out client without a listener would end the process; its running query reports the loss.
  pool.on("connect", (client) => client.on("error", () => {}));
  const names = new StatementNames();
  let closing: Promise<void> | undefined;
  return {
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    acquire: async (ctx) => sessionOf(await take(pool, ctx), names),
    stats: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => (closing ??= pool.end()),
  };
}

function poolConfig(options: PoolOptions): pg.PoolConfig {
  const { connectionString, host, port, user, password, database } = options;
  const place = { connectionString, host, port, user, password, database };
  return {
    ...Object.fromEntries(Object.entries(place).filter(([, value]) => value !== undefined)),
    max: Math.max(2, options.max ?? 10),
    min: 1,
    allowExitOnIdle: options.allowExitOnIdle ?? false,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    connectionTimeoutMillis: options.acquireTimeoutMs ?? 5_000,
    application_name: options.applicationName ?? "kilonova",
    statement_timeout: options.statementTimeoutMs ?? 60_000,
    idle_in_transaction_session_timeout: 60_000,
    options: "-c TimeZone=UTC",
    types: columnTypes,
  };
}

async function take(pool: pg.Pool, ctx: Ctx): Promise<pg.PoolClient> {
  if (ctx.signal.aborted) throw abortReason(ctx);
  const pending = pool.connect().catch((error: unknown) => {
    throw toDbError(error);
  });
  let leave = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = whenAborted(ctx.signal, () => reject(abortReason(ctx)));
  });
  try {
    return await Promise.race([pending, aborted]);
  } catch (error) {
    // Whoever stops waiting hands the connection on when it comes after all.
    pending.then(
      (client) => client.release(),
      () => {},
    );
    throw error;
  } finally {
    leave();
  }
}

function sessionOf(client: pg.PoolClient, names: StatementNames): Session {
  let given = false;
  const once = (give: () => void): void => {
    if (!given) {
      given = true;
      give();
    }
  };
  return {
    client,
    names,
    release: () => once(() => client.release()),
    discard: ({ cancel } = { cancel: false }) =>
      once(() => {
        if (cancel) requestCancel(client);
        client.release(true);
      }),
  };
}

interface WireClient {
  readonly processID: number | null;
  readonly secretKey: number | null;
  readonly host: string;
  readonly port: number;
  readonly ssl: unknown;
}

/**
 * Sends PostgreSQL's CancelRequest on a connection of its own; nobody answers it. The session is not used
 * again, since a late cancel could hit its next statement. Over TLS it is left to statement_timeout.
 */
function requestCancel(client: pg.PoolClient): void {
  const { processID, secretKey, host, port, ssl } = client as unknown as WireClient;
  if (processID === null || secretKey === null || ssl) return;
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(80877102, 4);
  message.writeInt32BE(processID, 8);
  message.writeInt32BE(secretKey, 12);
  const socket = host.startsWith("/")
    ? createConnection(`${host}/.s.PGSQL.${port}`)
    : createConnection(port, host);
  socket.on("error", () => {});
  socket.setTimeout(1_000, () => socket.destroy());
  socket.end(message);
}
