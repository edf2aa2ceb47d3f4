/** How long until it is tried again. */
const FIRST_MS = 1_000;
const MOST_MS = 60_000;
/** Beyond it the wait is the longest anyway. */
const MOST_LOSSES = 7;

/** What a clock and timers are, for tests. */
export interface MendTime {
  nowMs(): number;
  setTimer(fn: () => void, ms: number): { stop(): void };
}

const systemTime: MendTime = {
  nowMs: () => performance.now(),
  setTimer: (fn, ms) => {
    const timer = setTimeout(fn, ms).unref();
    return { stop: () => clearTimeout(timer) };
  },
};

/**
 * Work that brings something back that was lost. It is tried again until it succeeds, later and later; and
 * what is lost again soon after it was brought back is brought back later and later too. However often it is
 * asked for, one timer runs.
 */
export class Mend {
  readonly #work: () => Promise<void>;
  readonly #time: MendTime;
  #next: { readonly atMs: number; stop(): void } | undefined;
  #workedMs = -Infinity;
  #losses = 0;
  #failures = 0;

  /** @param work  rejects when it is to be tried again */
  constructor(work: () => Promise<void>, time: MendTime = systemTime) {
    this.#work = work;
    this.#time = time;
  }

  /** Something is not there. */
  wanted(): void {
    const again = this.#time.nowMs() - this.#workedMs < MOST_MS;
    this.#losses = again ? Math.min(this.#losses + 1, MOST_LOSSES) : 0;
    this.#after(waitMs(this.#losses));
  }

  /** In so long at the latest. */
  #after(ms: number): void {
    const atMs = this.#time.nowMs() + ms;
    if (this.#next !== undefined && this.#next.atMs <= atMs) return;
    this.#next?.stop();
    const timer = this.#time.setTimer(() => void this.#run(), ms);
    this.#next = { atMs, stop: () => timer.stop() };
  }

  async #run(): Promise<void> {
    this.#next = undefined;
    this.#workedMs = this.#time.nowMs();
    try {
      await this.#work();
      this.#failures = 0;
    } catch {
      this.#failures = Math.min(this.#failures + 1, MOST_LOSSES);
      this.#after(waitMs(this.#failures));
    } finally {
      this.#workedMs = this.#time.nowMs();
    }
  }
}

/** @param times  how often it was in vain; 0 for at once */
const waitMs = (times: number): number => (times === 0 ? 0 : Math.min(MOST_MS, FIRST_MS * 2 ** (times - 1)));
