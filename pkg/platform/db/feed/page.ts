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

export interface FeedPage {
  /** In the order of their revisions, without gaps. */
  readonly entries: readonly FeedEntry[];
  /** Where to go on. */
  readonly position: FeedPosition;
  /** The newest revision when the page was read; beyond `position` there is more. */
  readonly head: number;
}
