import type { Instant } from "../../../kernel/time.js";
import type { FeedEvent } from "./outbox.js";

export interface FeedEntry extends FeedEvent {
  readonly revision: number;
  readonly createdAt: Instant;
}

/** A place in the feed of one database; what a watch token holds of it. */
export interface FeedPosition {
  readonly incarnation: string;
  readonly revision: number;
}

export interface FeedHead extends FeedPosition {
  readonly compacted: number;
  /**
   * Where the feed will have come once every row that is committed now has its number. Exact but for rows of
   * a later commit that sort before them (by generation), which move them further.
   */
  readonly expected: number;
}

/** What one page holds at most. */
export interface PageLimit {
  readonly rows: number;
  /** Of payloads; a page of one entry may be larger. */
  readonly bytes: number;
}

/**
 * What is held of a feed in memory at once: a page for a reader, the newest entries for those who follow
 * closely.
 */
export const FEED_PAGE: PageLimit = { rows: 500, bytes: 1 << 20 };

/** The first of the entries that fit into a page; the first one always does. */
export function fitting(entries: readonly FeedEntry[], { rows, bytes }: PageLimit): readonly FeedEntry[] {
  let left = bytes;
  const end = entries.findIndex(
    ({ payload }, index) => index === rows || ((left -= payload.length) < 0 && index > 0),
  );
  return end < 0 ? entries : entries.slice(0, end);
}

export interface FeedPage {
  /** In the order of their revisions, without gaps. */
  readonly entries: readonly FeedEntry[];
  /** Where to go on. */
  readonly position: FeedPosition;
  /** The newest revision when the page was read; beyond `position` there is more. */
  readonly head: number;
}
