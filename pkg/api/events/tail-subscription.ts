import type { FeedEntry } from "../../../gen/kilonova/cells/v1/feed_service.js";
import type { Position } from "./resume-token.js";
import { WakeUps } from "./wake-ups.js";

/** What a subscriber takes at once, and how far the feed was looked at with that. */
export interface Portion {
  readonly entries: readonly FeedEntry[];
  readonly position: Position;
}

/** Bytes that wait for readers, of all watches of this process together. */
export interface BufferBudget {
  readonly mostBytes: number;
  usedBytes: number;
}

/** What an entry costs besides its payload. */
const ENTRY_BYTES = 256;

/** What a reader takes at once, and one entry more. */
const PORTION_BYTES = 32 * 1024;

const bytesOf = ({ payload }: FeedEntry): number => payload.length + ENTRY_BYTES;

/**
 * What waits for one watch. It is bounded: a reader that is too slow loses the subscription, not memory of
 * ours, and reads what it missed from the database.
 */
export class TailSubscription {
  readonly #kinds: readonly string[];
  readonly #mostBytes: number;
  readonly #budget: BufferBudget;
  readonly #tail: { position(): Position; leave(): void };
  readonly #wakeUps = new WakeUps();
  /** Where it began: what lies before is not told here. */
  readonly from: Position;
  #entries: FeedEntry[] = [];
  #bytes = 0;
  #nudged = false;
  #ended = false;

  constructor(
    kinds: readonly string[],
    mostBytes: number,
    budget: BufferBudget,
    tail: { position(): Position; leave(): void },
  ) {
    this.#kinds = kinds;
    this.#mostBytes = mostBytes;
    this.#budget = budget;
    this.#tail = tail;
    this.from = tail.position();
  }

  /** The tail has an entry of the right project. */
  offer(entry: FeedEntry): void {
    if (this.#kinds.length > 0 && !this.#kinds.includes(entry.entityKind)) return;
    const bytes = bytesOf(entry);
    const { usedBytes, mostBytes } = this.#budget;
    if (this.#bytes + bytes > this.#mostBytes || usedBytes + bytes > mostBytes) {
      this.end();
      return;
    }
    this.#bytes += bytes;
    this.#budget.usedBytes += bytes;
    this.#entries.push(entry);
    this.#wakeUps.wakeAll();
  }

  /** The reader wants to know where the feed stands, though nothing came for it. */
  nudge(): void {
    this.#nudged = true;
    this.#wakeUps.wakeAll();
  }

  /** @returns the first of what waits, or undefined when the subscription has ended or the signal aborts */
  async take(signal: AbortSignal): Promise<Portion | undefined> {
    while (!this.#ended && !signal.aborted && this.#entries.length === 0 && !this.#nudged)
      await this.#wakeUps.wait(signal);
    if (this.#ended || signal.aborted) return undefined;
    this.#nudged = false;
    const entries = this.#takeSome();
    const last = entries.at(-1);
    const { incarnation, revision } = this.#tail.position();
    const upTo = this.#entries.length === 0 || last === undefined ? revision : last.revision;
    return { entries, position: { incarnation, revision: upTo } };
  }

  /** What leaves the buffer is no longer counted, so it must be little. */
  #takeSome(): readonly FeedEntry[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#entries) {
      if (bytes >= PORTION_BYTES) break;
      bytes += bytesOf(entry);
      count++;
    }
    const taken = this.#entries.splice(0, count);
    this.#bytes -= bytes;
    this.#budget.usedBytes -= bytes;
    return taken;
  }

  /** Whatever waited is dropped. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#clear();
    this.#tail.leave();
    this.#wakeUps.wakeAll();
  }

  #clear(): void {
    this.#budget.usedBytes -= this.#bytes;
    this.#bytes = 0;
    this.#entries = [];
  }
}
