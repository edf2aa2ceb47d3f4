import type { Database } from "../database.js";
import type { Sequencer } from "./sequencer.js";

export { outboxRows } from "./outbox.js";
export type { FeedEvent } from "./outbox.js";
export { compactFeed, compactionTask, renewIncarnation } from "./compaction.js";
export { FeedErrors } from "./errors.js";
export { FEED_PAGE, fitting } from "./page.js";
export type { FeedEntry, FeedHead, FeedPage, FeedPosition, PageLimit } from "./page.js";
export { createFeedReader, isWanted } from "./reader.js";
export type { FeedReader, FeedSelection } from "./reader.js";
export { feedMigration } from "./schema.js";
export type { FeedTables } from "./schema.js";
export { createSequencer } from "./sequencer.js";
export type { Sequencer, SequencerOptions } from "./sequencer.js";
export { createTail } from "./tail.js";
export type { FeedTail } from "./tail.js";

/** The same database, whose successful writes wake the sequencer; a spurious nudge costs one indexed look. */
export const nudging = <S>(db: Database<S>, sequencer: Pick<Sequencer, "nudge">): Database<S> => ({
  ...db,
  write: async (ctx, name, fn, options) => {
    const result = await db.write(ctx, name, fn, options);
    sequencer.nudge();
    return result;
  },
});
