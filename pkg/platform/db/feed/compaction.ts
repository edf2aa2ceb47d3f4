import type { Ctx } from "../../../kernel/ctx.js";
import type { Clock } from "../../../kernel/time.js";
import { systemClock } from "../../process/clock.js";
import { systemIds } from "../../process/ids.js";
import type { Ids } from "../../../kernel/ids.js";
import type { Database } from "../database.js";
import type { FeedTables } from "./schema.js";

const DELETE_BATCH = 1_000;
const DEFAULT_KEEP_MS = 24 * 3_600_000;
const DEFAULT_EVERY_MS = 600_000;

/**
 * Drops the longest prefix of the feed in which everything is older than `keepMs`. First the mark moves, then
 * the rows go: a reader meets COMPACTED or complete data, never a gap.
 * @returns how many entries were deleted
 */
export async function compactFeed(
  ctx: Ctx,
  db: Database<FeedTables>,
  options: { readonly keepMs?: number; readonly clock?: Clock } = {},
): Promise<number> {
  const { keepMs = DEFAULT_KEEP_MS, clock = systemClock } = options;
  const cutoff = clock.now() - BigInt(keepMs) * 1000n;
  const compacted = await db.write(
    ctx,
    "feed.compact",
    async (tx) => {
      const state = await tx
        .selectFrom("feed_state")
        .select(["head", "compacted"])
        .where("id", "=", 1)
        .forUpdate()
        .executeTakeFirstOrThrow();
      const kept = await tx
        .selectFrom("outbox")
        .select("revision")
        .where("revision", "is not", null)
        .where("created_at", ">=", cutoff)
        .orderBy("revision")
        .limit(1)
        .executeTakeFirst();
      const mark = kept?.revision === undefined || kept.revision === null ? state.head : kept.revision - 1;
      if (mark > state.compacted)
        await tx.updateTable("feed_state").set({ compacted: mark }).where("id", "=", 1).execute();
      return Math.max(mark, state.compacted);
    },
    { isolation: "read-committed" },
  );
  let deleted = 0;
  for (;;) {
    const count = await deleteBatch(ctx, db, compacted);
    deleted += count;
    if (count < DELETE_BATCH || ctx.signal.aborted) return deleted;
  }
}

async function deleteBatch(ctx: Ctx, db: Database<FeedTables>, compacted: number): Promise<number> {
  const { numDeletedRows } = await db.statement(ctx, "feed.delete", (d) =>
    d
      .deleteFrom("outbox")
      .where("id", "in", (eb) =>
        eb
          .selectFrom("outbox as old")
          .select("old.id")
          .where("old.revision", "<=", compacted)
          .orderBy("old.revision")
          .limit(DELETE_BATCH),
      )
      .executeTakeFirstOrThrow(),
  );
  return Number(numDeletedRows);
}

/** The loop for `tasks.task`; any number of processes may run it. */
export const compactionTask =
  (
    db: Database<FeedTables>,
    options: { readonly keepMs?: number; readonly everyMs?: number; readonly clock?: Clock } = {},
  ) =>
  async (ctx: Ctx): Promise<void> => {
    const { everyMs = DEFAULT_EVERY_MS, clock = systemClock } = options;
    while (!ctx.signal.aborted) {
      const deleted = await compactFeed(ctx, db, options);
      if (deleted > 0) ctx.log.info("feed.compact.done", { schema: db.schema, deleted });
      await clock.sleep(everyMs, ctx.signal).catch(() => {});
    }
  };

/** Gives the feed a new name after a restore: every watch token of before answers UNKNOWN_INCARNATION. */
export async function renewIncarnation(
  ctx: Ctx,
  db: Database<FeedTables>,
  ids: Ids = systemIds,
): Promise<string> {
  const incarnation = ids.uuid();
  await db.write(ctx, "feed.renew", (tx) =>
    tx.updateTable("feed_state").set({ incarnation }).where("id", "=", 1).execute(),
  );
  return incarnation;
}
