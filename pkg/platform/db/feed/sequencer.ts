import { sql } from "kysely";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Database } from "../database.js";
import { createBell } from "./bell.js";
import { FEED_PAGE } from "./page.js";
import type { FeedEntry } from "./page.js";
import type { FeedTables } from "./schema.js";
import type { FeedTail } from "./tail.js";

export interface SequencerOptions {
  /**
   * Who this is. A process that always runs alone passes a constant and takes its own place over at once
   * after a crash.
   */
  readonly owner: string;
  /** Gets what was numbered, for readers in this process. */
  readonly tail?: FeedTail;
  /** How often to look for rows nobody nudged about (other processes' writes). */
  readonly pollMs: number;
  /** How often an idle owner shows that it lives; 1,000 by default. */
  readonly heartbeatMs?: number;
  /** How long an owner may be silent before others take over; 4,000 by default. */
  readonly takeoverMs?: number;
}

export interface Sequencer {
  /**
   * Call after a commit that appended to the outbox: its rows get their numbers now rather than at the next
   * look.
   */
  nudge(): void;
  /** The loop, for `tasks.task`: takes ownership when it is free, numbers, gives it back in the end. */
  run(ctx: Ctx): Promise<void>;
}

/** Rows numbered at once, and bytes of their payloads: those and one row more. */
const BATCH = { rows: 1_000, bytes: FEED_PAGE.bytes } as const;

/** Whether there may be more that could be numbered at once. */
const isFull = (entries: readonly FeedEntry[]): boolean =>
  entries.length === BATCH.rows ||
  entries.reduce((sum, { payload }) => sum + payload.length, 0) >= BATCH.bytes;

/** An owner's place: its fence, and where the feed ended when it looked last. */
interface Place {
  readonly fence: number;
  readonly head: number;
  readonly incarnation: string;
}

/**
 * Numbers the visible rows of one database's outbox densely. Any number of them may run; the row in
 * feed_state says whose turn it is, and each numbering is one statement, conditional on fence and head. A row
 * is numbered when it is seen, however late its writer commits: nothing can be skipped, since there are no
 * numbers before the commit.
 */
export function createSequencer(db: Database<FeedTables>, options: SequencerOptions): Sequencer {
  const { owner, tail, pollMs, heartbeatMs = 1_000, takeoverMs = 4_000 } = options;
  const bell = createBell();

  async function own(ctx: Ctx, { fence, head: first }: Place): Promise<void> {
    let head = first;
    let beatMs = performance.now();
    for (;;) {
      const seen = bell.rings;
      const askedMs = performance.now();
      const shows = askedMs - beatMs >= heartbeatMs;
      const { incarnation, entries, missed } = await number(ctx, db, { fence, head }, shows);
      head += entries.length;
      if (entries.length > 0) tail?.put(incarnation, entries);
      if (incarnation !== "") {
        // Whoever else takes over waits for the whole silence, counted from after `askedMs`.
        tail?.lead({ incarnation, revision: head }, askedMs + takeoverMs / 2);
        beatMs = askedMs;
      }
      if (ctx.signal.aborted) return;
      if (isFull(entries)) continue;
      if (missed) {
        const place = await look(ctx, db, fence);
        if (place === undefined) return;
        head = place.head;
        continue;
      }
      await bell.wait(seen, pollMs, ctx.signal);
    }
  }

  return {
    nudge: () => bell.ring(),
    run: async (ctx) => {
      const forever: Ctx = { ...ctx, signal: new AbortController().signal };
      while (!ctx.signal.aborted) {
        const place = await acquire(ctx, db, owner, takeoverMs);
        if (place === undefined) {
          await bell.wait(bell.rings, Math.min(heartbeatMs, takeoverMs / 4), ctx.signal);
          continue;
        }
        const { fence } = place;
        ctx.log.info("feed.sequencer.acquired", { schema: db.schema, owner, fence });
        try {
          await own(ctx, place);
        } finally {
          // From now on others may number.
          tail?.lead({ incarnation: "", revision: -1 }, 0);
          if (ctx.signal.aborted) await release(forever, db, fence);
        }
        ctx.log.info("feed.sequencer.left", { schema: db.schema, owner, fence });
      }
    },
  };
}

/**
 * Takes the place when it is free, our own from before, or its owner silent for too long. Times are the
 * database's.
 */
async function acquire(
  ctx: Ctx,
  db: Database<FeedTables>,
  owner: string,
  takeoverMs: number,
): Promise<Place | undefined> {
  return db.statement(ctx, "feed.acquire", (d) =>
    d
      .updateTable("feed_state")
      .set({ owner, fence: sql`fence + 1`, owner_seen_at: sql`now()` })
      .where("id", "=", 1)
      .where((eb) =>
        eb.or([
          eb("owner", "in", ["", owner]),
          eb("owner_seen_at", "<", sql<bigint>`now() - ${takeoverMs} * interval '1 millisecond'`),
        ]),
      )
      .returning(["fence", "head", "incarnation"])
      .executeTakeFirst(),
  );
}

/** @returns where the feed ends, or undefined when the place belongs to another by now */
function look(ctx: Ctx, db: Database<FeedTables>, fence: number): Promise<Place | undefined> {
  return db.statement(ctx, "feed.look", (d) =>
    d
      .selectFrom("feed_state")
      .select(["fence", "head", "incarnation"])
      .where("id", "=", 1)
      .where("fence", "=", fence)
      .executeTakeFirst(),
  );
}

async function release(ctx: Ctx, db: Database<FeedTables>, fence: number): Promise<void> {
  try {
    await db.statement(ctx, "feed.release", (d) =>
      d.updateTable("feed_state").set({ owner: "" }).where("id", "=", 1).where("fence", "=", fence).execute(),
    );
  } catch (error) {
    // The next owner then waits for the silence instead.
    ctx.log.warn("feed.release.failed", { schema: db.schema, error });
  }
}

interface Numbering {
  readonly incarnation: string;
  readonly entries: readonly FeedEntry[];
  readonly missed: boolean;
}

/** Without rows to number there is one that only tells of the place; its other columns are null. */
type NumberedRow = { readonly place: number | null; readonly incarnation: string | null } & Omit<
  FeedTables["outbox"],
  "id" | "revision"
>;

/**
 * One statement. The update of feed_state locks its row and looks again at its newest version: with our fence
 * nobody else has numbered since we took the place, with our head neither has a statement of ours whose
 * answer was lost, so the rows without a number are just those.
 * @param shows  whether it also shows that the owner lives; otherwise it writes only when there are rows
 * @returns `incarnation` when the place was ours and something was written; `missed` when there was something
 *   to write, but fence or head had changed
 */
async function number(
  ctx: Ctx,
  db: Database<FeedTables>,
  { fence, head }: Pick<Place, "fence" | "head">,
  shows: boolean,
): Promise<Numbering> {
  const outbox = sql.table(`${db.schema}.outbox`);
  const { rows } = await db.statement(ctx, "feed.number", (d) =>
    sql<NumberedRow>`
    WITH first AS (
      SELECT id, row_number() OVER (ORDER BY generation, created_at, id) AS place, octet_length(payload) AS length
      FROM ${outbox} WHERE revision IS NULL ORDER BY generation, created_at, id LIMIT ${BATCH.rows}
    ), fresh AS (
      SELECT id, place FROM (SELECT id, place, sum(length) OVER (ORDER BY place) - length AS before FROM first) AS measured WHERE before < ${BATCH.bytes}
    ), moved AS (
      UPDATE ${sql.table(`${db.schema}.feed_state`)} SET head = head + (SELECT count(*) FROM fresh), owner_seen_at = now()
      WHERE id = 1 AND fence = ${fence} AND head = ${head} AND (${shows}::bool OR EXISTS (SELECT 1 FROM fresh)) RETURNING incarnation
    ), numbered AS (
      UPDATE ${outbox} AS o SET revision = ${head} + fresh.place FROM fresh, moved WHERE o.id = fresh.id
      RETURNING o.id, o.entity_kind, o.entity_id, o.project_id, o.generation, o.event_type, o.payload, o.created_at
    )
    SELECT moved.incarnation, fresh.place, n.* FROM (SELECT 1) AS always LEFT JOIN moved ON true LEFT JOIN fresh ON true
    LEFT JOIN numbered AS n ON n.id = fresh.id ORDER BY fresh.place`.execute(d),
  );
  const incarnation = rows[0]?.incarnation ?? "";
  const numbered = rows.flatMap((row) => (row.place === null ? [] : [{ ...row, place: row.place }]));
  if (incarnation === "") return { incarnation, entries: [], missed: shows || numbered.length > 0 };
  return {
    incarnation,
    missed: false,
    entries: numbered.map((row) => ({
      revision: head + row.place,
      entityKind: row.entity_kind,
      entityId: row.entity_id,
      projectId: row.project_id,
      generation: row.generation,
      eventType: row.event_type,
      payload: row.payload,
      createdAt: row.created_at,
    })),
  };
}
