import type { Clock } from "../../kernel/index.js";
import type { Position } from "./resume-token.js";

/** States that one watch remembers, of the present and of the last term together at most twice as many. */
const REMEMBERED = 50_000;
/** How long a term is at least: far longer than a shared tail lies behind its database. */
export const TERM_MS = 60_000;
const RECENT_MS = 15_000;
const RECENT_AT_MOST = 32;
/** Whoever is older than this left the global database long ago: nothing of it can come late from there. */
const YOUNG = 16n;

/**
 * Sees to it that each state of an entity is told once and in order, whichever databases it comes from. What
 * was told is remembered for the present term and the one before. A term ends when the watch has read all
 * that the feeds held when it began: nothing older than what was told before it can come any more.
 */
export class Generations {
  #present = new Map<string, bigint>();
  #before: ReadonlyMap<string, bigint> = new Map();
  readonly #recent = new Map<string, { generation: bigint; atMs: number }>();
  readonly #clock: Clock;
  /** Where the feeds ended when the present term began; undefined when one of them was silent. */
  #goals: ReadonlyMap<string, Position> | undefined;
  #beganMs: number;

  constructor(clock: Clock, recent: ReadonlyMap<string, bigint> = new Map()) {
    this.#clock = clock;
    this.#beganMs = clock.monotonicMs();
    for (const [id, generation] of recent) this.#note(id, generation, true);
  }

  /** States that are remembered. */
  get size(): number {
    return this.#present.size + this.#before.size;
  }

  /** @param fromCell  whether a cell tells it. @returns whether this state is news; it is then remembered */
  admit(id: string, generation: bigint, fromCell: boolean): boolean {
    if ((this.#present.get(id) ?? this.#before.get(id) ?? -1n) >= generation) return false;
    this.#note(id, generation, fromCell && generation < YOUNG);
    return true;
  }

  /** Young servers' states that cells told a moment ago, newest last; few, as they travel in every token. */
  recent(): ReadonlyMap<string, bigint> {
    const sinceMs = this.#clock.monotonicMs() - RECENT_MS;
    for (const [id, { atMs }] of this.#recent) if (atMs < sinceMs) this.#recent.delete(id);
    return new Map([...this.#recent].slice(-RECENT_AT_MOST).map(([id, { generation }]) => [id, generation]));
  }

  /**
   * Ends the term when it is time. Cheap: to be called with everything that a feed tells.
   * @param positions  how far each database's feed was read
   * @param headOf     where a database's feed ends; undefined while that is not known
   */
  forget(positions: ReadonlyMap<string, Position>, headOf: (database: string) => Position | undefined): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#beganMs < TERM_MS) return;
    if (this.#goals !== undefined) {
      for (const [database, goal] of this.#goals) if (!isReached(goal, positions.get(database))) return;
      this.#endTerm();
    }
    this.#beganMs = nowMs;
    this.#goals = goalsOf(positions.keys(), headOf);
  }

  #endTerm(): void {
    this.#before = this.#present;
    this.#present = new Map();
  }

  #note(id: string, generation: bigint, recent: boolean): void {
    if (this.#present.size >= REMEMBERED) this.#endTerm();
    this.#present.set(id, generation);
    this.#recent.delete(id);
    if (recent) this.#recent.set(id, { generation, atMs: this.#clock.monotonicMs() });
  }
}

const isReached = (goal: Position, position: Position | undefined): boolean =>
  position?.incarnation === goal.incarnation && position.revision >= goal.revision;

function goalsOf(
  databases: Iterable<string>,
  headOf: (database: string) => Position | undefined,
): ReadonlyMap<string, Position> | undefined {
  const goals = new Map<string, Position>();
  for (const database of databases) {
    const head = headOf(database);
    if (head === undefined) return undefined;
    goals.set(database, head);
  }
  return goals;
}
