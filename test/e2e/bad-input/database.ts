import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";

const SCHEMAS = ["global", "cell0", "cell1", "placement", "standalone"] as const;
/** Change by themselves, or with every token. */
const RESTLESS = new Set([
  "outbox",
  "feed_state",
  "identity_token",
  "counter",
  "kysely_migration",
  "kysely_migration_lock",
  "tombstone",
  "dormant_operation",
  "operation_signal",
]);

/**
 * The embedded cloud's database, beside the services: what they say of themselves is not enough to prove
 * anything.
 */
export class CloudDatabase {
  readonly #pool: pg.Pool;
  #tables: readonly string[] = [];

  private constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  static async open(home: string): Promise<CloudDatabase> {
    const { socketDir } = JSON.parse(readFileSync(join(home, "postgres.json"), "utf8")) as {
      socketDir: string;
    };
    const database = new CloudDatabase(
      new pg.Pool({ host: socketDir, port: 5432, user: "kilonova", database: "postgres", max: 2 }),
    );
    const found = await database.rows<{ table: string }>(
      `SELECT table_schema || '.' || table_name AS table FROM information_schema.tables WHERE table_schema = ANY($1) AND table_type = 'BASE TABLE' ORDER BY 1`,
      [SCHEMAS],
    );
    database.#tables = found
      .map(({ table }) => table)
      .filter((table) => !RESTLESS.has(table.split(".")[1] ?? ""));
    return database;
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async rows<T>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.#pool.query(sql, [...values])).rows as T[];
  }

  async run(sql: string, values: readonly unknown[]): Promise<void> {
    await this.#pool.query(sql, [...values]);
  }

  /** How many rows each table has. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    const [row = {}] = await this.rows<Record<string, string>>(
      `SELECT ${this.#tables.map((table) => `(SELECT count(*) FROM ${table}) AS "${table}"`).join(", ")}`,
    );
    return Object.fromEntries(Object.entries(row).map(([table, count]) => [table, Number(count)]));
  }
}
