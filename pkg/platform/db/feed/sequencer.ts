import { sql } from "kysely";
import type { Kysely } from "kysely";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Database } from "../database.js";
import { createBell } from "./bell.js";
import type { Bell } from "./bell.js";
import type { FeedTables } from "./schema.js";

export interface SequencerOptions {
  /** Who this is. A process that always runs alone passes a constant and takes its own place over at once after a crash. */
  readonly owner: string;
  /** Rung after each numbering, for readers in this process. */
  readonly published?: Bell;
  /** How often to look for rows nobody nudged about (other processes' writes); 200 by default. */
  readonly pollMs?: number;
  /** How often an idle owner shows that it lives; 1,000 by default. */
  readonly heartbeatMs?: number;
  /** How long an owner may be silent before others take over; 4,000 by default. */
  readonly takeoverMs?: number;
}

export interface Sequencer {
  /** Call after a commit that appended to the outbox: its rows get their numbers now rather than at the next look. */
  nudge(): void;
  /** The loop, for `tasks.task`: takes ownership when it is free, numbers, gives it back in the end. */
  run(ctx: Ctx): Promise<void>;
}

/** Rows numbered in one transaction. */
const BATCH = 1_000;

/**
 * Numbers the visible rows of one database's outbox densely. Any number of them may run; the row in feed_state says
 * whose turn it is, and each numbering holds that row's lock and is conditional on its fence. A row is numbered when it is
 * seen, however late its writer commits: nothing can be skipped, since there are no numbers before the commit.
 *
 * READ COMMITTED on purpose: the second statement must see what the previous owner numbered while we waited for the lock,
 * and a serializable reader of "all rows without a number" would make innocent writers fail.
 */
export function createSequencer(db: Database<FeedTables>, options: SequencerOptions): Sequencer {
  const { owner, published, pollMs = 200, heartbeatMs = 1_000, takeoverMs = 4_000 } = options;
  const bell = createBell();

  async function own(ctx: Ctx, fence: number): Promise<void> {
    let beatMs = performance.now();
    for (;;) {
      const seen = bell.rings;
      const numbered = await numberBatch(ctx, db, fence);
      if (numbered === undefined) return;
      if (numbered > 0) { published?.ring(); beatMs = performance.now(); }
      if (ctx.signal.aborted) return;
      if (numbered === BATCH) continue;
      if (performance.now() - beatMs >= heartbeatMs) {
        if (!await beat(ctx, db, fence)) return;
        beatMs = performance.now();
      }
      await bell.wait(seen, pollMs, ctx.signal);
    }
  }

  return {
    nudge: () => bell.ring(),
    run: async (ctx) => {
      const forever: Ctx = { ...ctx, signal: new AbortController().signal };
      while (!ctx.signal.aborted) {
        const fence = await acquire(ctx, db, owner, takeoverMs);
        if (fence === undefined) {
          await bell.wait(bell.rings, Math.min(heartbeatMs, takeoverMs / 4), ctx.signal);
          continue;
        }
        ctx.log.info("feed.sequencer.acquired", { schema: db.schema, owner, fence });
        try {
          await own(ctx, fence);
        } finally {
          if (ctx.signal.aborted) await release(forever, db, fence);
        }
        ctx.log.info("feed.sequencer.left", { schema: db.schema, owner, fence });
      }
    },
  };
}

/** Takes the place when it is free, our own from before, or its owner silent for too long. Times are the database's. */
async function acquire(ctx: Ctx, db: Database<FeedTables>, owner: string, takeoverMs: number): Promise<number | undefined> {
  const row = await db.statement(ctx, "feed.acquire", (d) => d.updateTable("feed_state")
    .set({ owner, fence: sql`fence + 1`, owner_seen_at: sql`now()` })
    .where("id", "=", 1)
    .where((eb) => eb.or([eb("owner", "in", ["", owner]), eb("owner_seen_at", "<", sql<bigint>`now() - ${takeoverMs} * interval '1 millisecond'`)]))
    .returning("fence").executeTakeFirst());
  return row?.fence;
}

async function beat(ctx: Ctx, db: Database<FeedTables>, fence: number): Promise<boolean> {
  const { numUpdatedRows } = await db.statement(ctx, "feed.beat", (d) =>
    d.updateTable("feed_state").set({ owner_seen_at: sql`now()` }).where("id", "=", 1).where("fence", "=", fence).executeTakeFirstOrThrow());
  return numUpdatedRows === 1n;
}

async function release(ctx: Ctx, db: Database<FeedTables>, fence: number): Promise<void> {
  try {
    await db.statement(ctx, "feed.release", (d) => d.updateTable("feed_state").set({ owner: "" }).where("id", "=", 1).where("fence", "=", fence).execute());
  } catch (error) {
    // The next owner then waits for the silence instead.
    ctx.log.warn("feed.release.failed", { schema: db.schema, error });
  }
}

/** @returns how many rows got a number, or undefined when the place belongs to another by now */
function numberBatch(ctx: Ctx, db: Database<FeedTables>, fence: number): Promise<number | undefined> {
  return anyUnnumbered(ctx, db).then((any) => any ? db.write(ctx, "feed.number", async (tx) => {
    const state = await tx.selectFrom("feed_state").select(["head", "fence"]).where("id", "=", 1).forUpdate().executeTakeFirstOrThrow();
    if (state.fence !== fence) return undefined;
    const fresh = await tx.selectFrom("outbox").select("id").where("revision", "is", null)
      .orderBy("generation").orderBy("created_at").orderBy("id").limit(BATCH).execute();
    if (fresh.length === 0) return 0;
    await assign(tx, fresh.map(({ id }) => id), state.head);
    await tx.updateTable("feed_state").set({ head: state.head + fresh.length, owner_seen_at: sql`now()` }).where("id", "=", 1).execute();
    return fresh.length;
  }, { isolation: "read-committed" }) : 0);
}

/** The cheap look before the transaction: most wake-ups of an idle feed find nothing. */
async function anyUnnumbered(ctx: Ctx, db: Database<FeedTables>): Promise<boolean> {
  const row = await db.statement(ctx, "feed.look", (d) => d.selectFrom("outbox").select("id").where("revision", "is", null).limit(1).executeTakeFirst());
  return row !== undefined;
}

/** Numbers the rows from `head + 1` in the order of the ids; one text whatever their count, so it stays prepared. */
async function assign(tx: Kysely<FeedTables>, ids: readonly string[], head: number): Promise<void> {
  const places = sql<{ id: string; place: number }>`unnest(${ids}::uuid[]) WITH ORDINALITY`;
  await tx.updateTable("outbox as o").from(places.as<"v">(sql`v (id, place)`))
    .set({ revision: sql<number>`${head} + v.place` }).whereRef("o.id", "=", "v.id").where("o.revision", "is", null).execute();
}
