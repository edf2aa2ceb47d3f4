import assert from "node:assert/strict";
import { sql } from "kysely";
import { KilonovaError } from "../../pkg/kernel/errors.js";
import { migrate } from "../../pkg/platform/db/index.js";
import type { DbPool, Migration } from "../../pkg/platform/db/index.js";
import type { Session } from "../../pkg/platform/db/pool.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import type { TestDatabase } from "../../pkg/testkit/postgres.js";

interface Schema {
  a: { id: number; note?: string };
  b: { id: number };
  schema_migration: { name: string; done: number; complete: boolean };
}

const first: Migration = {
  name: "0001-a",
  statements: [
    "CREATE TABLE a (id int8 PRIMARY KEY)",
    "INSERT INTO a (id) VALUES (1) ON CONFLICT DO NOTHING",
  ],
};
const second: Migration = {
  name: "0002-note",
  statements: ["ALTER TABLE a ADD COLUMN note text", "CREATE TABLE b (id int8 PRIMARY KEY)"],
};
const broken: Migration = {
  name: "0002-note",
  statements: ["ALTER TABLE a ADD COLUMN note text", "CREATE TABLE b (id nonsense)"],
};
const reasonOf =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason;

/** The session, noting each query that it sends. */
function overheard(session: Session, sent: string[]): Session {
  const client = new Proxy(session.client, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (key === "query") sent.push(JSON.stringify(args[0]));
        return Reflect.apply(value, target, args);
      };
    },
  });
  return {
    ...session,
    client,
    release: () => session.release(),
    discard: (options) => session.discard(options),
  };
}

describe("migrate", () => {
  let test: TestDatabase;
  beforeEach(async () => {
    test = await testDatabase();
  });
  const run = (migrations: readonly Migration[], mode?: "transaction" | "statements"): Promise<void> =>
    migrate(testCtx(), test.pool, test.schema, migrations, mode === undefined ? {} : { mode });
  const history = (): Promise<Schema["schema_migration"][]> =>
    test
      .open<Schema>()
      .statement(testCtx(), "history", (db) =>
        db.selectFrom("schema_migration").select(["name", "done", "complete"]).orderBy("name").execute(),
      );

  for (const mode of ["transaction", "statements"] as const) {
    it(`goes forward and keeps the rows, in mode ${mode}`, async () => {
      await run([first], mode);
      await run([second, first], mode);
      await run([first, second], mode);
      assert.deepEqual(await history(), [
        { name: "0001-a", done: 2, complete: true },
        { name: "0002-note", done: 2, complete: true },
      ]);
      const rows = await test
        .open<Schema>()
        .statement(testCtx(), "rows", (db) => db.selectFrom("a").selectAll().execute());
      assert.deepEqual(rows, [{ id: 1, note: null }]);
    });
  }

  it("leaves nothing of a failed migration on PostgreSQL, and runs when it is mended", async () => {
    await run([first]);
    await assert.rejects(run([first, broken]), reasonOf("MIGRATION_FAILED"));
    assert.deepEqual(
      (await history()).map(({ name }) => name),
      ["0001-a"],
    );
    await run([first, second]);
    assert.equal((await history()).length, 2);
  });

  it("resumes at the statement at which it stopped, even when that had taken effect unrecorded", async () => {
    await run([first]);
    // What a crash between the second statement and its record leaves behind.
    await test.open<Schema>().write(testCtx(), "crash", async (tx) => {
      await sql`SET LOCAL search_path TO ${sql.table(test.schema)}`.execute(tx);
      await sql`ALTER TABLE a ADD COLUMN note text`.execute(tx);
    });
    await run([first, second], "statements");
    assert.deepEqual((await history())[1], { name: "0002-note", done: 2, complete: true });
  });

  it("is run once when many processes start at the same time", async () => {
    const pools = Array.from({ length: 4 }, () => test.newPool({ max: 2 }));
    await Promise.all(pools.map((pool) => migrate(testCtx(), pool, test.schema, [first, second])));
    assert.equal((await history()).length, 2);
    await Promise.all(pools.map((pool) => pool.close()));
  });

  it("migrates several schemas side by side over one small pool", async () => {
    const pool = test.newPool({ max: 2 });
    await Promise.all(
      ["x", "y", "z"].map((name) => migrate(testCtx(), pool, `${test.schema}_${name}`, [first, second])),
    );
    const rows = await test
      .open<Schema>({ schema: `${test.schema}_z` })
      .statement(testCtx(), "rows", (db) => db.selectFrom("b").selectAll().execute());
    assert.deepEqual(rows, []);
    await pool.close();
  });

  it("sends one query per schema when there is nothing to do", async () => {
    await run([first, second]);
    const sent: string[] = [];
    const counting: DbPool = {
      ...test.pool,
      acquire: async (ctx) => overheard(await test.pool.acquire(ctx), sent),
    };
    await migrate(testCtx(), counting, test.schema, [first, second]);
    assert.equal(sent.length, 1, sent.join("\n"));
  });
});
