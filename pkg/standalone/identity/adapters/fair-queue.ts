import { whenAborted } from "../../../kernel/signals.js";

/** Whose turn a piece of work is. */
export interface Place {
  /** Shares the turns with the other lanes of its class. */
  readonly lane: string;
  /** Shares the lane's turns with the others in it. */
  readonly key: string;
  /** Every second turn is a preferred lane's, if there is one. */
  readonly preferred: boolean;
}

export interface FairQueueOptions {
  readonly atOnce: number;
  readonly perKey: number;
  readonly perLane: number;
  readonly inAll: number;
  readonly maxWaitMs: number;
  /** What those get who ask too much themselves. */
  readonly tooMany: () => Error;
  /** What those get who waited in vain, or had to make room for others. */
  readonly busy: () => Error;
}

interface Waiting {
  begin(): void;
  refuse(error: Error): void;
}

interface Lane {
  readonly keys: Map<string, Waiting[]>;
  size: number;
}

/** Lanes in the order of their turns: the first is next. */
type Round = Map<string, Lane>;

/**
 * Runs a few pieces of work at once and lets the others wait, in turns: class by class, lane by lane, key by
 * key. Whoever leaves before its turn is never begun. Everything that waits is bounded.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  readonly #rounds: { preferred: Round; other: Round } = { preferred: new Map(), other: new Map() };
  #preferredNext = true;
  #running = 0;
  #waiting = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /** @throws what the options say, the signal's reason, and what the work throws */
  async run<T>(signal: AbortSignal, place: Place, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#running >= this.#options.atOnce) await this.#turn(signal, place);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#beginNext();
    }
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Waits; when it resolves, one of the running is ours. */
  #turn(signal: AbortSignal, place: Place): Promise<void> {
    const { perKey, perLane, inAll, maxWaitMs, tooMany, busy } = this.#options;
    const lane = this.#round(place).get(place.lane);
    if ((lane?.size ?? 0) >= perLane || (lane?.keys.get(place.key)?.length ?? 0) >= perKey) throw tooMany();
    if (this.#waiting >= inAll && !this.#makeRoom((lane?.size ?? 0) + 1)) throw busy();
    return new Promise<void>((resolve, reject) => {
      let stay = (): void => {};
      const refuse = (error: Error): void => {
        leave();
        reject(error);
      };
      const onAbort = (): void => {
        this.#remove(place, waiting);
        refuse(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        this.#remove(place, waiting);
        refuse(busy());
      }, maxWaitMs);
      const leave = (): void => {
        clearTimeout(timer);
        stay();
      };
      const waiting: Waiting = {
        refuse,
        begin: () => {
          leave();
          resolve();
        },
      };
      this.#add(place, waiting);
      stay = whenAborted(signal, onAbort);
    });
  }

  #round({ preferred }: Place): Round {
    return preferred ? this.#rounds.preferred : this.#rounds.other;
  }

  #add(place: Place, waiting: Waiting): void {
    const round = this.#round(place);
    const lane = round.get(place.lane) ?? { keys: new Map<string, Waiting[]>(), size: 0 };
    round.set(place.lane, lane);
    const mine = lane.keys.get(place.key);
    if (mine) mine.push(waiting);
    else lane.keys.set(place.key, [waiting]);
    lane.size += 1;
    this.#waiting += 1;
  }

  #remove(place: Place, waiting: Waiting): void {
    const round = this.#round(place);
    const lane = round.get(place.lane);
    const mine = lane?.keys.get(place.key);
    const at = mine?.indexOf(waiting) ?? -1;
    if (!lane || !mine || at < 0) return;
    mine.splice(at, 1);
    if (mine.length === 0) lane.keys.delete(place.key);
    this.#shrink(round, place.lane, lane);
  }

  #shrink(round: Round, name: string, lane: Lane): void {
    lane.size -= 1;
    this.#waiting -= 1;
    if (lane.size === 0) round.delete(name);
  }

  /** The longest lane loses its newest, if it is longer than the newcomer's would be. */
  #makeRoom(size: number): boolean {
    let longest: { round: Round; name: string; lane: Lane } | undefined;
    for (const round of Object.values(this.#rounds))
      for (const [name, lane] of round)
        if (lane.size > (longest?.lane.size ?? size)) longest = { round, name, lane };
    if (!longest) return false;
    const { round, name, lane } = longest;
    const [key, fullest] = [...lane.keys].reduce((most, one) =>
      one[1].length >= most[1].length ? one : most,
    );
    const newest = fullest.pop();
    if (fullest.length === 0) lane.keys.delete(key);
    this.#shrink(round, name, lane);
    newest?.refuse(this.#options.busy());
    return true;
  }

  #beginNext(): void {
    if (this.#waiting === 0 || this.#running >= this.#options.atOnce) return;
    const { preferred, other } = this.#rounds;
    const first = this.#preferredNext ? preferred : other;
    const round = first.size > 0 ? first : first === preferred ? other : preferred;
    this.#preferredNext = round !== preferred;
    const turn = first_(round);
    if (!turn) return;
    const [name, lane] = turn;
    const ours = first_(lane.keys);
    if (!ours) return;
    const [key, mine] = ours;
    const next = mine.shift();
    // To the end of the line, the key in its lane and the lane in its round.
    lane.keys.delete(key);
    if (mine.length > 0) lane.keys.set(key, mine);
    round.delete(name);
    round.set(name, lane);
    this.#shrink(round, name, lane);
    this.#running += 1;
    next?.begin();
  }
}

const first_ = <K, V>(map: ReadonlyMap<K, V>): readonly [K, V] | undefined => map.entries().next().value;
