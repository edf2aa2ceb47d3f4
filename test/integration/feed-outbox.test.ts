import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sql } from "kysely";
import type { Transaction } from "kysely";
import { KilonovaError } from "../../pkg/kernel/errors.js";
import { openDatabase } from "../../pkg/platform/db/index.js";
import type { Database } from "../../pkg/platform/db/index.js";
import {
  FEED_PAGE,
  compactFeed,
  createFeedReader,
  createSequencer,
  createTail,
  feedMigration,
  nudging,
  outboxRows,
  renewIncarnation,
} from "../../pkg/platform/db/feed/index.js";
import type {
  FeedEntry,
  FeedEvent,
  FeedPosition,
  FeedReader,
  FeedTables,
  FeedTail,
  PageLimit,
  Sequencer,
} from "../../pkg/platform/db/feed/index.js";
import type { Clock } from "../../pkg/kernel/time.js";
import { createTasks, systemClock, systemIds } from "../../pkg/platform/process/index.js";
import type { Tasks } from "../../pkg/platform/process/index.js";
import { silentLogger } from "../../pkg/kernel/logger.js";
import type { Logger } from "../../pkg/kernel/logger.js";
import { fakeClock } from "../../pkg/testkit/clock.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import type { TestDatabase } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Longer than any test may take: whoever waits for a poll fails. */
const NEVER_MS = 600_000;

interface Tables extends FeedTables {
  item: { id: number; size: number };
}

const START: FeedPosition = { incarnation: "", revision: 0 };
const event = (entityId: string, generation = 1): FeedEvent => ({
  entityKind: "item",
  entityId,
  projectId: "p",
  generation,
  eventType: "item.changed",
  payload: Buffer.from(`${entityId}@${generation}`),
});
const append = async (
  tx: Transaction<Tables>,
  events: readonly FeedEvent[],
  clock: Clock = systemClock,
): Promise<void> => {
  await tx
    .insertInto("outbox")
    .values(outboxRows(events, systemIds, clock.now()))
    .execute();
};
/** A page of so many, however large. */
const rows = (count: number): PageLimit => ({ rows: count, bytes: 1 << 30 });
const reasonOf =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason;
const ids = (entries: readonly FeedEntry[]): string[] => entries.map(({ entityId }) => entityId);

describe("feed", () => {
  let test: TestDatabase;
  let db: Database<Tables>;
  let reader: FeedReader;
  let tasks: Tasks;
  let tail: FeedTail;

  beforeEach(async () => {
    test = await testDatabase([
      { name: "0001-item", statements: ["CREATE TABLE item (id int8 PRIMARY KEY, size int8 NOT NULL)"] },
      feedMigration("0002-feed"),
    ]);
    db = test.open<Tables>();
    tail = createTail();
    reader = createFeedReader(db, { tail, pollMs: 20 });
    tasks = createTasks({ service: "test", log: silentLogger });
  });
  afterEach(async () => {
    assert.deepEqual(await tasks.stop(30_000), []);
  });

  const commit = (...events: FeedEvent[]): Promise<void> =>
    db.write(testCtx(), "append", (tx) => append(tx, events));
  const run = (
    owner: string,
    on: Database<FeedTables> = db,
    options: { pollMs?: number; takeoverMs?: number } = {},
  ): Sequencer => {
    const sequencer = createSequencer(on, { owner, tail, pollMs: 20, ...options });
    tasks.task(owner, (ctx) => sequencer.run(ctx));
    return sequencer;
  };
  const headReaches = (revision: number): Promise<unknown> =>
    until(async () => (await reader.head(testCtx())).revision >= revision, {
      what: `revision ${revision}`,
      timeoutMs: 240_000,
    });
  const all = async (limit = 10_000): Promise<readonly FeedEntry[]> =>
    (await reader.readAfter(testCtx(), START, rows(limit))).entries;
  /** The promise of the feed: 1, 2, 3 … without gap or repetition. */
  const assertDense = (entries: readonly FeedEntry[], count: number): void =>
    assert.deepEqual(
      entries.map(({ revision }) => revision),
      Array.from({ length: count }, (_, index) => index + 1),
    );

  it("shows nothing before it is numbered, then all of it as it was written", async () => {
    await commit(event("a"), event("b", 7));
    assert.deepEqual(await all(), []);
    run("one");
    await headReaches(2);
    const [a, b] = await all();
    assert.deepEqual(
      [a?.revision, a?.entityId, b?.revision, b?.entityId, b?.generation, b?.projectId, b?.eventType],
      [1, "a", 2, "b", 7, "p", "item.changed"],
    );
    assert.equal(Buffer.from(b?.payload ?? []).toString(), "b@7");
    assert.ok((a?.createdAt ?? 0n) > 0n);
  });

  it("forgets what was rolled back", async () => {
    run("one");
    await assert.rejects(
      db.write(testCtx(), "fail", async (tx) => {
        await append(tx, [event("gone")]);
        throw new Error("no");
      }),
      /no/,
    );
    await commit(event("kept"));
    await headReaches(1);
    assert.deepEqual(ids(await all()), ["kept"]);
  });

  it("never skips a late committer: the first transaction commits after the second was read", async () => {
    const sequencer = run("one");
    let finish = (): void => {};
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let written = (): void => {};
    const inserted = new Promise<void>((resolve) => {
      written = resolve;
    });
    const pool = test.newPool();
    const slow = openDatabase<Tables>(pool, { schema: test.schema }).write(testCtx(), "slow", async (tx) => {
      await append(tx, [event("first")]);
      written();
      await held;
    });
    await inserted;
    await commit(event("second"));
    sequencer.nudge();
    await headReaches(1);
    const page = await reader.readAfter(testCtx(), START, rows(10));
    assert.deepEqual(ids(page.entries), ["second"]);
    finish();
    await slow;
    sequencer.nudge();
    await headReaches(2);
    assert.deepEqual(ids((await reader.readAfter(testCtx(), page.position, rows(10))).entries), ["first"]);
    await pool.close();
  });

  it("numbers every row once when sequencers race, and keeps the order of each entity", async () => {
    const pools = [test.newPool(), test.newPool()];
    // Takeover without any silence: the owners snatch the place from each other all the time.
    const racers = pools.map((pool, index) =>
      run(`racer-${index}`, openDatabase<FeedTables>(pool, { schema: test.schema }), {
        pollMs: 1,
        takeoverMs: 0,
      }),
    );
    const fence = async (): Promise<number> => {
      const row = await db.statement(testCtx(), "fence", (d) =>
        d.selectFrom("feed_state").select("fence").executeTakeFirstOrThrow(),
      );
      return Number(row.fence);
    };
    const PER_ROUND = 25;
    const writer = async (entity: string, from: number): Promise<void> => {
      for (let generation = from + 1; generation <= from + PER_ROUND; generation++) {
        await commit(event(entity, generation));
        racers[generation % 2]?.nudge();
      }
    };
    const entities = ["a", "b", "c", "d"];
    let written = 0;
    // As long as it takes the place to change hands some times.
    for (let round = 0; round < 10 && (round === 0 || (await fence()) <= 2); round++) {
      await Promise.all(entities.map((entity) => writer(entity, written)));
      written += PER_ROUND;
    }
    await headReaches(written * entities.length);
    const entries = await all();
    assertDense(entries, written * entities.length);
    for (const entity of entities) {
      const generations = entries
        .filter(({ entityId }) => entityId === entity)
        .map(({ generation }) => generation);
      assert.deepEqual(
        generations,
        Array.from({ length: written }, (_, index) => index + 1),
      );
    }
    const changes = await fence();
    assert.ok(changes > 2, `the place changed hands only ${changes} times: the race did not happen`);
    assert.deepEqual(await tasks.stop(30_000), []);
    await Promise.all(pools.map((pool) => pool.close()));
  });

  it("is numbered by nobody whose place was taken, also when nothing was numbered since", async () => {
    let left = false;
    const log: Logger = { ...silentLogger, info: (name) => void (left ||= name === "feed.sequencer.left") };
    const stop = new AbortController();
    const ousted = createSequencer(db, { owner: "ousted", pollMs: NEVER_MS, heartbeatMs: NEVER_MS });
    const running = ousted.run(testCtx({ log, signal: stop.signal, deadlineMs: undefined }));
    const state = () =>
      db.statement(testCtx(), "state", (d) =>
        d.selectFrom("feed_state").select(["owner", "head"]).executeTakeFirstOrThrow(),
      );
    await until(async () => (await state()).owner === "ousted", { what: "the place to be taken" });
    await db.statement(testCtx(), "oust", (d) =>
      d
        .updateTable("feed_state")
        .set({ fence: sql`fence + 1`, owner: "heir", owner_seen_at: sql`now() + interval '1 hour'` })
        .execute(),
    );
    await commit(event("a"));
    ousted.nudge();
    await until(async () => left || (await state()).head > 0, { what: "it to notice" });
    assert.deepEqual([(await state()).head, left], [0, true]);
    stop.abort();
    await running;
  });

  it("reads what belongs to one project, a bounded stretch at a time", async () => {
    run("one");
    const mine = (index: number): FeedEvent => ({ ...event(`mine-${index}`), projectId: "mine" });
    await commit(event("a"), mine(1), { ...mine(0), entityKind: "other" }, mine(2), event("b"), mine(3));
    await headReaches(6);
    const wanted = { projectId: "mine", entityKinds: ["item"] };
    const cold = createFeedReader(db, { pollMs: 20 });
    for (const [name, from] of [
      ["from memory", reader],
      ["from the database", cold],
    ] as const) {
      const first = await from.readMatching(testCtx(), START, wanted, rows(2));
      assert.deepEqual([ids(first.entries), first.position.revision], [["mine-1", "mine-2"], 4], name);
      const second = await from.readMatching(testCtx(), first.position, wanted, rows(2));
      assert.deepEqual([ids(second.entries), second.position.revision], [["mine-3"], 6], name);
      const end = await from.readMatching(testCtx(), second.position, wanted, rows(2));
      assert.deepEqual([ids(end.entries), end.position.revision], [[], 6], name);
    }
    await commit(...Array.from({ length: 2_100 }, (_, index) => event(`e${index}`)), mine(4));
    await headReaches(2_107);
    const far = await cold.readMatching(testCtx(), { ...START, revision: 6 }, wanted, rows(2));
    assert.deepEqual([far.entries.length, far.position.revision], [0, 2_006]);
    assert.deepEqual(ids((await cold.readMatching(testCtx(), far.position, wanted, rows(2))).entries), [
      "mine-4",
    ]);
    await assert.rejects(
      cold.readMatching(testCtx(), { ...START, revision: 9_999 }, wanted, rows(2)),
      reasonOf("COMPACTED"),
    );
  });

  it("does not make innocent writers fail", async () => {
    run("one", db, { pollMs: 1 });
    await db.write(testCtx(), "items", (tx) =>
      tx
        .insertInto("item")
        .values([1, 2, 3, 4].map((id) => ({ id, size: 0 })))
        .execute(),
    );
    let attempts = 0;
    const writer = async (id: number): Promise<void> => {
      for (let i = 0; i < 25; i++) {
        await db.write(testCtx(), "grow", async (tx) => {
          attempts++;
          await tx.updateTable("item").set({ size: i }).where("id", "=", id).execute();
          await append(tx, [event(`item-${id}`, i)]);
        });
      }
    };
    await Promise.all([1, 2, 3, 4].map(writer));
    await headReaches(100);
    // Serializable checks are by page on tiny tables, so a few false alarms remain; without care it would be
    // most of them.
    assert.ok(attempts < 200, `100 writes took ${attempts} attempts`);
  });

  it("says where it will have come with what is committed and has no number yet", async () => {
    await commit(event("a"), event("b"));
    assert.deepEqual(
      await reader.head(testCtx()).then(({ revision, expected }) => [revision, expected]),
      [0, 2],
    );
    run("one");
    await headReaches(2);
    assert.equal((await reader.head(testCtx())).expected, 2);
  });

  it("costs nothing to follow at its end while its sequencer is in this process", async () => {
    let reads = 0;
    const counting = test.open<Tables>({
      metrics: {
        observe: ({ name }) => {
          if (name === "feed.read") reads++;
        },
      },
    });
    const followed = createFeedReader(counting, { tail, pollMs: 5 });
    run("one", db, { takeoverMs: 60_000 });
    await commit(event("a"));
    await headReaches(1);
    const stop = new AbortController();
    const seen: unknown[] = [];
    const following = (async () => {
      for await (const page of followed.follow(testCtx({ signal: stop.signal }), START, rows(10)))
        seen.push(page);
    })();
    await until(() => seen.length === 1);
    const before = reads;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(reads, before, "twenty looks, no statement");
    await commit(event("b"));
    await until(() => seen.length === 2);
    assert.equal(reads, before);
    stop.abort();
    await following;
  });

  it("is taken over when its owner falls silent, and at once when it left in order", async () => {
    const crashed = createSequencer(db, { owner: "crashed", pollMs: 5 });
    const abandon = new AbortController();
    const dying = crashed.run(testCtx({ signal: abandon.signal, deadlineMs: undefined }));
    await commit(event("a"));
    await headReaches(1);
    // Its process dies: nothing releases the place.
    await db.write(testCtx(), "freeze", (tx) =>
      tx
        .updateTable("feed_state")
        .set({ fence: sql`fence + 1`, owner: "ghost" })
        .execute(),
    );
    abandon.abort();
    await dying.catch(() => {});
    run("heir", db, { takeoverMs: 100 });
    await commit(event("b"));
    await headReaches(2);
    assertDense(await all(), 2);
    assert.deepEqual(await tasks.stop(30_000), []);
    const { owner } = await db.statement(testCtx(), "owner", (d) =>
      d.selectFrom("feed_state").select("owner").executeTakeFirstOrThrow(),
    );
    assert.equal(owner, "");
  });

  it("brings a commit to a watcher in the same process without waiting for its poll", async () => {
    const sequencer = run("one", db, { pollMs: NEVER_MS });
    const waking = nudging(db, sequencer);
    const patient = createFeedReader(db, { tail, pollMs: NEVER_MS });
    const stop = new AbortController();
    const arrivals = patient.follow(testCtx({ signal: stop.signal }), START, rows(100));
    await until(
      async () =>
        (
          await db.statement(testCtx(), "owner", (d) =>
            d.selectFrom("feed_state").select("owner").executeTakeFirst(),
          )
        )?.owner === "one",
    );
    for (let i = 0; i < 10; i++) {
      const next = arrivals.next();
      await waking.write(testCtx(), "append", (tx) => append(tx, [event(`e${i}`)]));
      const { value } = await next;
      assert.deepEqual(ids(value?.entries ?? []), [`e${i}`]);
    }
    stop.abort();
    assert.equal((await arrivals.next()).done, true);
  });

  it("pages and resumes without loss or repetition", async () => {
    run("one");
    await commit(...Array.from({ length: 25 }, (_, index) => event(`e${String(index).padStart(2, "0")}`)));
    await headReaches(25);
    const seen: FeedEntry[] = [];
    for (let position = START; seen.length < 25;) {
      const page = await reader.readAfter(testCtx(), position, rows(10));
      assert.equal(page.head, 25);
      seen.push(...page.entries);
      position = page.position;
    }
    assertDense(seen, 25);
    assert.deepEqual(ids(seen), ids(await all()));
  });

  it("never holds more than a page of large records, from the database or from memory, however many", async function () {
    this.timeout(300_000);
    const count = 1_000;
    const large = Buffer.alloc(60_000, 1);
    /** Bytes of buffers that are still in use. */
    const memory = (): number => {
      collect();
      collect(); // what the first one found is freed beside us
      return process.memoryUsage().arrayBuffers;
    };
    for (let at = 0; at < count; at += 100)
      await commit(
        ...Array.from({ length: 100 }, (_, index) => ({ ...event(`e${at + index}`), payload: large })),
      );
    const before = memory();
    let most = before;
    const look = (): number => (most = Math.max(most, memory()));
    // From the end of one look to the next: each costs what the work itself could use.
    let looking: NodeJS.Timeout | undefined;
    const lookOn = (): void => {
      look();
      looking = setTimeout(lookOn, 400);
    };
    looking = setTimeout(lookOn, 400);
    run("one");
    await headReaches(count);
    for (const [name, from] of [
      ["from memory where it can", reader],
      ["from the database", createFeedReader(db, { pollMs: 20 })],
    ] as const) {
      const stop = new AbortController();
      let seen = 0;
      const ctx = testCtx({ signal: stop.signal, deadlineMs: undefined });
      for await (const { entries } of from.follow(ctx, START, FEED_PAGE)) {
        const bytes = entries.reduce((sum, { payload }) => sum + payload.length, 0);
        assert.ok(bytes <= FEED_PAGE.bytes, `${bytes} bytes in a page, ${name}`);
        seen += entries.length;
        if (seen === count) break;
      }
      assert.equal(seen, count, name);
    }
    look();
    clearTimeout(looking);
    const held = (revision: number): number | undefined =>
      tail.after({ ...START, revision }, rows(count))?.entries.length;
    assert.deepEqual([held(count - 17), held(count - 18)], [17, undefined]);
    // All of them are 60 MB.
    assert.ok(most - before < 12e6, `${Math.round((most - before) / 1e6)} MB`);
  });

  it("gives a record that is larger than a page by itself, and goes on", async () => {
    run("one");
    const sized = (name: string, bytes: number): FeedEvent => ({
      ...event(name),
      payload: Buffer.alloc(bytes),
    });
    await commit(sized("a", 10), sized("b", 500), sized("c", 10), sized("d", 0), sized("e", 10));
    await headReaches(5);
    const limit = { rows: 10, bytes: 100 };
    const wanted = { projectId: "p", entityKinds: [] };
    const cold = createFeedReader(db, { pollMs: 20 });
    for (const read of [
      (at: FeedPosition) => cold.readAfter(testCtx(), at, limit),
      (at: FeedPosition) => cold.readMatching(testCtx(), at, wanted, limit),
      (at: FeedPosition) => reader.readMatching(testCtx(), at, wanted, limit),
    ]) {
      const pages: string[][] = [];
      for (let at = START; at.revision < 5;) {
        const page = await read(at);
        pages.push(ids(page.entries));
        at = page.position;
      }
      assert.deepEqual(pages, [["a"], ["b"], ["c", "d", "e"]]);
    }
  });

  it("answers COMPACTED for what is gone and goes on with what is kept", async () => {
    const clock = fakeClock();
    run("one");
    await db.write(testCtx(), "old", (tx) => append(tx, [event("old-1"), event("old-2")], clock));
    await headReaches(2);
    await clock.advance(25 * 3_600_000);
    await db.write(testCtx(), "new", (tx) => append(tx, [event("new")], clock));
    await headReaches(3);
    assert.equal(await compactFeed(testCtx(), db, { clock }), 2);
    assert.equal(await compactFeed(testCtx(), db, { clock }), 0);
    await assert.rejects(all(), reasonOf("COMPACTED"));
    await assert.rejects(
      reader.readAfter(testCtx(), { incarnation: "", revision: 1 }, rows(10)),
      reasonOf("COMPACTED"),
    );
    assert.deepEqual(
      ids((await reader.readAfter(testCtx(), { incarnation: "", revision: 2 }, rows(10))).entries),
      ["new"],
    );
    assert.deepEqual(
      await reader.head(testCtx()).then(({ revision, compacted }) => [revision, compacted]),
      [3, 2],
    );
    await clock.advance(25 * 3_600_000);
    assert.equal(await compactFeed(testCtx(), db, { clock }), 1);
    await commit(event("after"));
    await headReaches(4);
    assert.deepEqual(
      ids((await reader.readAfter(testCtx(), { incarnation: "", revision: 3 }, rows(10))).entries),
      ["after"],
    );
  });

  it("answers positions of another database, and of a lost future, with a refusal", async () => {
    run("one");
    await commit(event("a"));
    await headReaches(1);
    const { incarnation } = await reader.head(testCtx());
    assert.equal(
      (await reader.readAfter(testCtx(), { incarnation, revision: 1 }, rows(10))).entries.length,
      0,
    );
    await assert.rejects(
      reader.readAfter(testCtx(), { incarnation, revision: 2 }, rows(10)),
      reasonOf("COMPACTED"),
    );
    await renewIncarnation(testCtx(), db);
    await assert.rejects(
      reader.readAfter(testCtx(), { incarnation, revision: 1 }, rows(10)),
      reasonOf("UNKNOWN_INCARNATION"),
    );
  });
});
