import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { sql } from "kysely";
import { KilonovaError } from "../../pkg/kernel/errors.js";
import { DbError, openDatabase, openPool, violates } from "../../pkg/platform/db/index.js";
import type { Database, DbSample } from "../../pkg/platform/db/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import type { TestDatabase } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";

interface Schema {
  item: {
    id: number;
    name: string;
    size: number;
    at: bigint | null;
    tags: readonly string[] | null;
    body: Buffer | null;
  };
}
const migrations = [
  {
    name: "0001-item",
    statements: [
      "CREATE TABLE item (id int8 PRIMARY KEY, name text NOT NULL CONSTRAINT item_name_key UNIQUE, size int8 NOT NULL CHECK (size >= 0), at timestamptz, tags jsonb, body bytea)",
    ],
  },
];
const row = (id: number, size = 0): Schema["item"] => ({
  id,
  name: `n${id}`,
  size,
  at: null,
  tags: null,
  body: null,
});
const reasonOf =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason;

/** A server that passes everything on, and hangs up on both sides once it has passed on a COMMIT. */
async function cutOnCommit(targetDir: string): Promise<{ dir: string; close(): Promise<void> }> {
  const dir = await mkdtemp("/tmp/kilonova-cut-");
  const server = createServer((client) => {
    const target = createConnection(join(targetDir, ".s.PGSQL.5432"));
    client.on("error", () => {});
    target.on("error", () => {});
    target.pipe(client);
    client.on("data", (data) => {
      if (data.includes("COMMIT")) {
        client.destroy();
        target.end(data);
      } else target.write(data);
    });
    client.on("close", () => target.end());
  });
  await new Promise<void>((resolve) => server.listen(join(dir, ".s.PGSQL.5432"), resolve));
  return {
    dir,
    close: async () => {
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true });
    },
  };
}

describe("Database on PostgreSQL", () => {
  let test: TestDatabase;
  let db: Database<Schema>;
  let samples: DbSample[];
  const ctx = (): ReturnType<typeof testCtx> => testCtx();

  beforeEach(async () => {
    test = await testDatabase(migrations);
    samples = [];
    db = test.open<Schema>({ metrics: { observe: (sample) => samples.push(sample) } });
  });

  const sizeOf = async (id: number): Promise<number | undefined> =>
    (
      await db.statement(ctx(), "size", (d) =>
        d.selectFrom("item").select("size").where("id", "=", id).executeTakeFirst(),
      )
    )?.size;

  it("brings values back as they were given: instants, bytes, json, large integers", async () => {
    const item: Schema["item"] = {
      id: 2 ** 53 - 1,
      name: "ä",
      size: 5,
      at: 1_764_000_000_123_456n,
      tags: null,
      body: Buffer.from([0, 255]),
    };
    await db.write(ctx(), "put", (tx) =>
      tx
        .insertInto("item")
        .values({ ...item, tags: sql`${JSON.stringify(["a"])}::jsonb` })
        .execute(),
    );
    const found = await db.read(ctx(), "get", (tx) =>
      tx.selectFrom("item").selectAll().where("at", "=", 1_764_000_000_123_456n).executeTakeFirst(),
    );
    assert.deepEqual(found, { ...item, tags: ["a"] });
    const [counted] = await db.statement(ctx(), "count", (d) =>
      d
        .selectFrom("item")
        .select(({ fn }) => fn.countAll<number>().as("n"))
        .execute(),
    );
    assert.equal(counted?.n, 1);
  });

  it("gives a read one snapshot and refuses writes in it", async () => {
    await db.write(ctx(), "put", (tx) => tx.insertInto("item").values(row(1)).execute());
    await db.read(ctx(), "twice", async (tx) => {
      const before = await tx.selectFrom("item").select("size").executeTakeFirstOrThrow();
      await db.write(ctx(), "grow", (other) => other.updateTable("item").set({ size: 9 }).execute());
      const after = await tx.selectFrom("item").select("size").executeTakeFirstOrThrow();
      assert.deepEqual([before.size, after.size], [0, 0]);
    });
    assert.equal(await sizeOf(1), 9);
    await assert.rejects(
      db.read(ctx(), "bad", (tx) => tx.deleteFrom("item").execute()),
      DbError,
    );
    assert.equal(await sizeOf(1), 9);
  });

  it("loses no increment under concurrent read-modify-write, and comes to an end soon", async () => {
    await db.write(ctx(), "put", (tx) => tx.insertInto("item").values(row(1)).execute());
    const increment = (): Promise<unknown> =>
      db.write(ctx(), "increment", async (tx) => {
        const { size } = await tx
          .selectFrom("item")
          .select("size")
          .where("id", "=", 1)
          .executeTakeFirstOrThrow();
        await tx
          .updateTable("item")
          .set({ size: size + 1 })
          .where("id", "=", 1)
          .execute();
      });
    await Promise.all(Array.from({ length: 24 }, increment));
    assert.equal(await sizeOf(1), 24);
    const most = Math.max(...samples.map(({ attempts }) => attempts));
    assert.ok(most > 1, "no conflict happened: the test proves nothing");
    assert.ok(most <= 6, `a writer needed ${most} attempts: they do not take turns`);
  });

  it("prevents write skew", async () => {
    await db.write(ctx(), "put", (tx) =>
      tx
        .insertInto("item")
        .values([row(1, 1), row(2, 1)])
        .execute(),
    );
    const leave = (id: number): Promise<void> =>
      db.write(ctx(), "leave", async (tx) => {
        const { total } = await tx
          .selectFrom("item")
          .select(sql<number>`sum(size)::int8`.as("total"))
          .executeTakeFirstOrThrow();
        if (total > 1) await tx.updateTable("item").set({ size: 0 }).where("id", "=", id).execute();
      });
    await Promise.all([leave(1), leave(2)]);
    assert.equal(((await sizeOf(1)) ?? 0) + ((await sizeOf(2)) ?? 0), 1);
  });

  it("rolls back when the function throws, and passes its error", async () => {
    await assert.rejects(
      db.write(ctx(), "fail", async (tx) => {
        await tx.insertInto("item").values(row(1)).execute();
        throw new RangeError("mine");
      }),
      /mine/,
    );
    assert.equal(await sizeOf(1), undefined);
    assert.equal(samples[0]?.outcome, "refused");
  });

  it("does not commit after a swallowed failure", async () => {
    await db.write(ctx(), "put", (tx) => tx.insertInto("item").values(row(1)).execute());
    await assert.rejects(
      db.write(ctx(), "swallow", async (tx) => {
        await tx.insertInto("item").values(row(2)).execute();
        await tx
          .insertInto("item")
          .values(row(1))
          .execute()
          .catch(() => {});
      }),
      (error) => violates(error, "item_pkey"),
    );
    assert.equal(await sizeOf(2), undefined);
  });

  it("names the violated constraint to the store and nothing to the caller", async () => {
    const put = (id: number): Promise<unknown> =>
      db.write(ctx(), "put", (tx) =>
        tx
          .insertInto("item")
          .values({ ...row(id), name: "same" })
          .execute(),
      );
    await put(1);
    await assert.rejects(
      put(2),
      (error) =>
        violates(error, "item_name_key") && error.kind === "internal" && !/item|same/.test(error.message),
    );
  });

  it("runs parallel queries of one transaction in order", async () => {
    await db.write(ctx(), "many", (tx) =>
      Promise.all([3, 1, 2].map((id) => tx.insertInto("item").values(row(id)).execute())),
    );
    const found = await db.read(ctx(), "many", (tx) =>
      Promise.all(
        [1, 2, 3].map((id) => tx.selectFrom("item").select("name").where("id", "=", id).executeTakeFirst()),
      ),
    );
    assert.deepEqual(
      found.map((one) => one?.name),
      ["n1", "n2", "n3"],
    );
  });

  it("refuses a second query in a statement, and queries after the end of a transaction", async () => {
    await assert.rejects(
      db.statement(ctx(), "two", async (d) => {
        await d.selectFrom("item").selectAll().execute();
        await d.selectFrom("item").selectAll().execute();
      }),
      /only one query/,
    );
    const late = await db.read(
      ctx(),
      "leak",
      async (tx) => () => tx.selectFrom("item").selectAll().execute(),
    );
    await assert.rejects(late(), reasonOf("CANCELLED"));
  });

  it("stops waiting and cancels on the server when the caller goes away", async () => {
    const controller = new AbortController();
    const sleeping = db.statement(testCtx({ signal: controller.signal }), "sleep", (d) =>
      sql`select pg_sleep(30) /* ${sql.lit(test.schema)} */`.execute(d),
    );
    const others = (): Promise<number> =>
      db.statement(
        ctx(),
        "look",
        async (d) =>
          (
            await sql<{
              n: number;
            }>`select count(*) as n from pg_stat_activity where query like ${`%pg_sleep(30) /* '${test.schema}%`} and state = 'active' and pid <> pg_backend_pid()`.execute(
              d,
            )
          ).rows[0]?.n ?? 0,
      );
    await until(async () => (await others()) === 1, { what: "the statement to run" });
    controller.abort();
    await assert.rejects(sleeping, reasonOf("CANCELLED"));
    await until(async () => (await others()) === 0, { what: "the server to stop" });
  });

  it("ends at the deadline, even inside a transaction", async () => {
    await assert.rejects(
      db.write(testCtx({ deadlineMs: Date.now() + 50 }), "slow", async (tx) => {
        await tx.insertInto("item").values(row(1)).execute();
        await sql`select pg_sleep(30)`.execute(tx);
      }),
      reasonOf("DEADLINE_EXCEEDED"),
    );
    assert.equal(await sizeOf(1), undefined);
  });

  it("survives the loss of its connections", async () => {
    const pool = test.newPool({ max: 2, applicationName: `victim-${test.schema}` });
    const victim = openDatabase<Schema>(pool, { schema: test.schema });
    await victim.write(ctx(), "put", (tx) => tx.insertInto("item").values(row(1)).execute());
    const kill = (): Promise<unknown> =>
      db.statement(ctx(), "kill", (d) =>
        sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${`victim-${test.schema}`}`.execute(
          d,
        ),
      );
    let attempts = 0;
    await victim.write(ctx(), "grow", async (tx) => {
      attempts++;
      await tx.updateTable("item").set({ size: attempts }).execute();
      if (attempts === 1) await kill();
      await tx.updateTable("item").set({ name: "grown" }).execute();
    });
    assert.equal(attempts, 2);
    assert.equal(await sizeOf(1), 2);
    await kill();
    const found = await victim.statement(ctx(), "get", (d) =>
      d.selectFrom("item").select("name").executeTakeFirst(),
    );
    assert.equal(found?.name, "grown");
    await pool.close();
  });

  it("does not repeat a writing statement whose connection broke", async () => {
    const pool = test.newPool({ max: 2, applicationName: `broken-${test.schema}` });
    const victim = openDatabase<Schema>(pool, { schema: test.schema });
    const doomed = victim.statement(ctx(), "doomed", (d) => sql`select pg_sleep(30)`.execute(d));
    doomed.catch(() => {});
    await until(() =>
      db.statement(
        ctx(),
        "kill",
        async (d) =>
          (
            await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${`broken-${test.schema}`} and query like '%pg_sleep%'`.execute(
              d,
            )
          ).rows.length === 1,
      ),
    );
    await assert.rejects(doomed, reasonOf("COMMIT_UNKNOWN"));
    await pool.close();
  });

  it("says COMMIT_UNKNOWN when the connection breaks while committing, and never runs again", async () => {
    const cut = await cutOnCommit(test.cluster.connection.host);
    const pool = test.newPool({ host: cut.dir });
    let attempts = 0;
    await assert.rejects(
      openDatabase<Schema>(pool, { schema: test.schema }).write(ctx(), "put", async (tx) => {
        await tx.insertInto("item").values(row(++attempts)).execute();
      }),
      reasonOf("COMMIT_UNKNOWN"),
    );
    assert.equal(attempts, 1);
    await until(async () => (await sizeOf(1)) === 0, { what: "the commit, which did happen" });
    await pool.close();
    await cut.close();
  });

  it("replans prepared statements after a migration changed their table", async () => {
    const all = (): Promise<object[]> =>
      db.statement(ctx(), "all", (d) => d.selectFrom("item").selectAll().execute());
    await db.write(ctx(), "put", (tx) => tx.insertInto("item").values(row(1)).execute());
    for (let i = 0; i < 4; i++) await all();
    await db.write(ctx(), "alter", (tx) =>
      sql`alter table ${sql.table(test.schema)}.item add column extra text`.execute(tx),
    );
    assert.equal((await all()).length, 1);
    assert.ok((await all()).every((one) => "extra" in one));
  });

  it("answers DB_UNAVAILABLE soon when there is no server", async () => {
    const pool = openPool({ host: "/nonexistent", user: "x", database: "x" });
    await assert.rejects(
      openDatabase<Schema>(pool, { schema: "s" }).read(ctx(), "get", (tx) =>
        tx.selectFrom("item").selectAll().execute(),
      ),
      reasonOf("DB_UNAVAILABLE"),
    );
    await pool.close();
  });

  it("gives all sessions back", async () => {
    const { total, idle, waiting } = test.pool.stats();
    assert.deepEqual([total - idle, waiting], [0, 0]);
  });
});
