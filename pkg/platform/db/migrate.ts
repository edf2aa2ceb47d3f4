import { createHash } from "node:crypto";
import type pg from "pg";
import type { Ctx } from "../../kernel/ctx.js";
import { traced } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import { DbError, DbErrors } from "./errors.js";
import { toDbError } from "./classify.js";
import { isCockroach } from "./dialect.js";
import type { DbPool, Session } from "./pool.js";

/**
 * One step of a schema's history: never edited after release, only followed by another. Table names are
 * written without schema. Each statement is one DDL, or one DML that may run twice (a resumed migration
 * repeats the statement at which it stopped).
 */
export interface Migration {
  /** Sorts the history: `0001-create-instances`. */
  readonly name: string;
  readonly statements: readonly string[];
}

interface Applied {
  readonly checksum: string;
  readonly done: number;
  readonly complete: boolean;
}
type History = ReadonlyMap<string, Applied>;

export interface MigrateOptions {
  /**
   * `transaction`: each migration as a whole (PostgreSQL). `statements`: one by one, with the progress stored
   * between (CockroachDB has no transactions over several DDLs). Chosen by the server's version when absent.
   */
  readonly mode?: "transaction" | "statements";
}

/**
 * Brings a schema to the newest migration, creating it first. Safe to run from several processes at once and
 * after a crash; one query when there is nothing to do. A database already ahead of this version's list is
 * left alone (rolling upgrades: schemas expand before they contract).
 *
 * Not Kysely's migrator: that one introspects every table of the database four times per schema, and its lock
 * cannot span DDL without a transaction around it. Here a session of its own holds `SELECT … FOR UPDATE` on
 * one row.
 *
 * @throws MIGRATION_CHANGED, MIGRATIONS_DIVERGED, MIGRATION_FAILED, DB_UNAVAILABLE
 */
export async function migrate(
  ctx: Ctx,
  pool: DbPool,
  schema: string,
  migrations: readonly Migration[],
  options: MigrateOptions = {},
): Promise<void> {
  const ordered = [...migrations].sort((a, b) => (a.name < b.name ? -1 : 1));
  await traced(ctx, `db.migrate ${schema}`, {}, async (inner) => {
    if (pending(schema, ordered, await peek(inner, pool, schema)).length === 0) return;
    await oneAtATime(pool, () =>
      borrow(inner, pool, async (worker) => {
        await prepare(worker, schema);
        await borrow(inner, pool, (keeper) =>
          underLock(keeper, schema, () => applyPending(inner, worker, schema, ordered, options)),
        );
      }),
    );
  });
}

/**
 * What `migrate` would do now, by name; changes nothing.
 * @throws MIGRATION_CHANGED, MIGRATIONS_DIVERGED, DB_UNAVAILABLE
 */
export async function pendingMigrations(
  ctx: Ctx,
  pool: DbPool,
  schema: string,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const ordered = [...migrations].sort((a, b) => (a.name < b.name ? -1 : 1));
  return pending(schema, ordered, await peek(ctx, pool, schema)).map(({ name }) => name);
}

const running = new WeakMap<DbPool, Promise<void>>();

/** A migration holds two sessions; several at once could each hold one and wait for the other's. */
async function oneAtATime(pool: DbPool, fn: () => Promise<void>): Promise<void> {
  const before = running.get(pool) ?? Promise.resolve();
  const mine = before.then(fn, fn);
  running.set(pool, mine);
  await mine;
}

async function peek(ctx: Ctx, pool: DbPool, schema: string): Promise<History> {
  const session = await acquire(ctx, pool);
  try {
    return await readHistory(session.client, schema);
  } catch (error) {
    throw outward(error);
  } finally {
    session.release();
  }
}

async function borrow<T>(ctx: Ctx, pool: DbPool, fn: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const session = await acquire(ctx, pool);
  try {
    return await fn(session.client);
  } catch (error) {
    throw outward(error);
  } finally {
    // Its search_path and settings were changed: not for the next user.
    session.discard();
  }
}

async function acquire(ctx: Ctx, pool: DbPool): Promise<Session> {
  try {
    return await pool.acquire(ctx);
  } catch (error) {
    throw outward(error);
  }
}

function outward(error: unknown): KilonovaError {
  if (error instanceof KilonovaError && !(error instanceof DbError)) return error;
  const failure = toDbError(error);
  return failure.failure === "lost" ? DbErrors.DB_UNAVAILABLE({}, { cause: failure }) : failure;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const tableOf = (schema: string): string => `${quoted(schema)}.schema_migration`;
const lockOf = (schema: string): string => `${quoted(schema)}.schema_migration_lock`;
const checksumOf = (migration: Migration): string =>
  createHash("sha256").update(JSON.stringify(migration.statements)).digest("hex").slice(0, 32);

const UNDEFINED_TABLE = "42P01",
  UNDEFINED_SCHEMA = "3F000";

async function readHistory(client: pg.ClientBase, schema: string): Promise<History> {
  try {
    const { rows } = await client.query<{ name: string } & Applied>(
      `SELECT name, checksum, done, complete FROM ${tableOf(schema)} ORDER BY name`,
    );
    return new Map(rows.map(({ name, ...applied }) => [name, applied]));
  } catch (error) {
    const { sqlstate } = toDbError(error);
    if (sqlstate === UNDEFINED_TABLE || sqlstate === UNDEFINED_SCHEMA) return new Map();
    throw error;
  }
}

/** What is still to be done, after proving that the history is a prefix or an extension of ours. */
export function pending(
  schema: string,
  migrations: readonly Migration[],
  history: History,
): readonly Migration[] {
  const todo = migrations.filter(({ name }) => history.get(name)?.complete !== true);
  const first = todo[0];
  const known = new Set(migrations.map(({ name }) => name));
  for (const [name, applied] of history) {
    const started = first !== undefined && name === first.name;
    if (first !== undefined && !started && name > first.name)
      throw DbErrors.MIGRATIONS_DIVERGED({ schema, migration: name });
    if (!known.has(name) && migrations.some((one) => one.name > name))
      throw DbErrors.MIGRATIONS_DIVERGED({ schema, migration: name });
    const mine = migrations.find((one) => one.name === name);
    if (mine !== undefined && applied.checksum !== checksumOf(mine))
      throw DbErrors.MIGRATION_CHANGED({ schema, migration: name });
  }
  return todo;
}

async function prepare(client: pg.ClientBase, schema: string): Promise<void> {
  const statements = [
    `CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`,
    `CREATE TABLE IF NOT EXISTS ${tableOf(schema)} (name text PRIMARY KEY, checksum text NOT NULL, done int8 NOT NULL, complete bool NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    `CREATE TABLE IF NOT EXISTS ${lockOf(schema)} (id int8 PRIMARY KEY)`,
    `INSERT INTO ${lockOf(schema)} (id) VALUES (1) ON CONFLICT DO NOTHING`,
  ];
  for (const statement of statements) await tolerant(client, statement);
}

/**
 * SQLSTATEs of "it is already there": duplicate schema, table, column, object, and the catalog races of IF
 * NOT EXISTS.
 */
const ALREADY_THERE = new Set(["42P06", "42P07", "42701", "42710", "23505"]);

/**
 * Runs a statement whose effect may already be there, also when another process is doing the same just now.
 */
async function tolerant(client: pg.ClientBase, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(statement);
      return;
    } catch (error) {
      const failure = toDbError(error);
      if (ALREADY_THERE.has(failure.sqlstate)) return;
      if (failure.failure !== "conflict" || attempt === 10) throw error;
    }
  }
}

async function underLock(keeper: pg.ClientBase, schema: string, fn: () => Promise<void>): Promise<void> {
  // The lock waits for another process's migrations as long as they take, and is held that long itself.
  await keeper.query("SET statement_timeout = 0");
  await keeper.query("SET idle_in_transaction_session_timeout = 0");
  await keeper.query("BEGIN ISOLATION LEVEL READ COMMITTED");
  await keeper.query(`SELECT id FROM ${lockOf(schema)} WHERE id = 1 FOR UPDATE`);
  await fn();
  await keeper.query("ROLLBACK");
}

async function applyPending(
  ctx: Ctx,
  worker: pg.ClientBase,
  schema: string,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<void> {
  await worker.query(`SET search_path TO ${quoted(schema)}`);
  await worker.query("SET statement_timeout = 0");
  const mode = options.mode ?? ((await isCockroach(worker)) ? "statements" : "transaction");
  const history = await readHistory(worker, schema);
  for (const migration of pending(schema, migrations, history)) {
    try {
      if (mode === "transaction")
        await applyWhole(worker, schema, migration, history.get(migration.name)?.done ?? 0);
      else await applyStepwise(worker, schema, migration, history.get(migration.name)?.done ?? 0);
    } catch (error) {
      const failure = toDbError(error);
      if (failure.failure === "lost") throw failure;
      throw DbErrors.MIGRATION_FAILED({ schema, migration: migration.name }, { cause: failure });
    }
    ctx.log.info("db.migration.done", { schema, migration: migration.name });
  }
}

async function applyWhole(
  worker: pg.ClientBase,
  schema: string,
  migration: Migration,
  done: number,
): Promise<void> {
  // One message, one round trip, one flush: text without parameters may hold several statements.
  await worker.query(["BEGIN", ...migration.statements.slice(done)].join(";\n"));
  await record(worker, schema, migration, migration.statements.length);
  await worker.query("COMMIT");
}

async function applyStepwise(
  worker: pg.ClientBase,
  schema: string,
  migration: Migration,
  done: number,
): Promise<void> {
  for (const [index, statement] of migration.statements.entries()) {
    if (index < done) continue;
    // Only the first may have happened without its record: a crash fell between the two.
    if (index === done) await tolerant(worker, statement);
    else await worker.query(statement);
    await record(worker, schema, migration, index + 1);
  }
}

async function record(
  worker: pg.ClientBase,
  schema: string,
  migration: Migration,
  done: number,
): Promise<void> {
  await worker.query(
    `INSERT INTO ${tableOf(schema)} (name, checksum, done, complete) VALUES ($1, $2, $3, $4)
     ON CONFLICT (name) DO UPDATE SET done = excluded.done, complete = excluded.complete, applied_at = now()`,
    [migration.name, checksumOf(migration), done, done >= migration.statements.length],
  );
}
