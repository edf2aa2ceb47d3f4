import { createBell } from "./bell.js";
import type { Bell } from "./bell.js";
import { FEED_PAGE, fitting } from "./page.js";
import type { FeedEntry, FeedPage, FeedPosition, PageLimit } from "./page.js";

/**
 * The newest entries of one feed, as the sequencer of this process has numbered them, and the bell that it
 * rings then. Who follows closely reads them from here: one statement numbers entries and brings them to any
 * number of readers.
 */
export interface FeedTail extends Bell {
  /**
   * Adds what was just numbered, in order, and rings. What does not continue the entries before it replaces
   * them.
   */
  put(incarnation: string, entries: readonly FeedEntry[]): void;
  /**
   * Tells where the feed ends, for as long as nobody but this process may number: until then readers at the
   * end need not ask the database.
   * @param untilMs  on `performance.now()`'s clock
   */
  lead(head: FeedPosition, untilMs: number): void;
  /**
   * The entries behind a position, none at the feed's end; undefined when that is not known here: only the
   * database knows then.
   */
  after(position: FeedPosition, limit: PageLimit): FeedPage | undefined;
}

const bytesOf = (entries: readonly FeedEntry[]): number =>
  entries.reduce((sum, { payload }) => sum + payload.length, 0);

/** @param keep  what is held at most */
export function createTail(keep: PageLimit = FEED_PAGE): FeedTail {
  const bell = createBell();
  let incarnation = "";
  let held: readonly FeedEntry[] = [];
  let heldBytes = 0;
  let end: FeedPosition = { incarnation: "", revision: -1 };
  let endUntilMs = 0;
  const atEnd = ({ revision, incarnation: asked }: FeedPosition): boolean =>
    revision === end.revision &&
    (asked === "" || asked === end.incarnation) &&
    performance.now() < endUntilMs;
  return {
    get rings() {
      return bell.rings;
    },
    ring: bell.ring,
    wait: bell.wait,
    put: (name, entries) => {
      const continues = name === incarnation && entries[0]?.revision === (held.at(-1)?.revision ?? 0) + 1;
      const all = continues ? held.concat(entries) : entries;
      heldBytes = (continues ? heldBytes : 0) + bytesOf(entries);
      // The oldest go; the last one always stays.
      let first = 0;
      for (; first < all.length - 1 && (all.length - first > keep.rows || heldBytes > keep.bytes); first++)
        heldBytes -= all[first]?.payload.length ?? 0;
      held = first === 0 ? all : all.slice(first);
      incarnation = name;
      bell.ring();
    },
    lead: (head, untilMs) => {
      end = head;
      endUntilMs = untilMs;
    },
    after: (position, limit) => {
      const { revision, incarnation: asked } = position;
      if (atEnd(position)) return { entries: [], head: revision, position: end };
      const first = held[0]?.revision;
      const head = held.at(-1)?.revision ?? 0;
      if (
        first === undefined ||
        revision < first - 1 ||
        revision >= head ||
        (asked !== "" && asked !== incarnation)
      )
        return undefined;
      const entries = fitting(held.slice(revision + 1 - first), limit);
      return { entries, head, position: { incarnation, revision: entries.at(-1)?.revision ?? revision } };
    },
  };
}
