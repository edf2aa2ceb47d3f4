import { LRUCache } from "lru-cache";
import type { Clock } from "../../kernel/index.js";

const REMEMBERED = 100_000;
const RECENT_MS = 15_000;
const RECENT_AT_MOST = 32;
/** Whoever is older than this left the global database long ago: nothing of it can come late from there. */
const YOUNG = 16n;

/** Sees to it that each state of an entity is told once and in order, whichever databases it comes from. */
export class Generations {
  readonly #last = new LRUCache<string, bigint>({ max: REMEMBERED });
  readonly #recent = new Map<string, { generation: bigint; atMs: number }>();
  readonly #clock: Clock;

  constructor(clock: Clock, recent: ReadonlyMap<string, bigint> = new Map()) {
    this.#clock = clock;
    for (const [id, generation] of recent) this.#note(id, generation, true);
  }

  /** @param fromCell  whether a cell tells it. @returns whether this state is news; it is then remembered */
  admit(id: string, generation: bigint, fromCell: boolean): boolean {
    if ((this.#last.get(id) ?? -1n) >= generation) return false;
    this.#note(id, generation, fromCell && generation < YOUNG);
    return true;
  }

  /** Young servers' states that cells told a moment ago, newest last; few, as they travel in every token. */
  recent(): ReadonlyMap<string, bigint> {
    const sinceMs = this.#clock.monotonicMs() - RECENT_MS;
    for (const [id, { atMs }] of this.#recent) if (atMs < sinceMs) this.#recent.delete(id);
    return new Map([...this.#recent].slice(-RECENT_AT_MOST).map(([id, { generation }]) => [id, generation]));
  }

  #note(id: string, generation: bigint, recent: boolean): void {
    this.#last.set(id, generation);
    this.#recent.delete(id);
    if (recent) this.#recent.set(id, { generation, atMs: this.#clock.monotonicMs() });
  }
}
