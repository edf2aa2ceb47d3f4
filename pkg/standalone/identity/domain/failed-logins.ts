import { LRUCache } from "lru-cache";
import type { LoginsConfig } from "../config.js";

/** Where a secret comes from and whose it claims to be; who has no account here has a name all the same. */
export interface Claimant {
  readonly address: string;
  readonly account: string;
}

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

/** What an attacker can fill, so it must be bounded; the least used is forgotten first. */
const MAX_REMEMBERED = 20_000;

/**
 * Remembers wrong secrets. First the address pauses, longer each time; only after many wrong ones, from
 * wherever, the account is locked, and never for an address from which it has logged in before: whoever
 * guesses elsewhere must not keep the owner out. Accounts that do not exist are counted like the others, so
 * that nothing shows which do. Held in memory: a restart forgets.
 */
export class FailedLogins {
  readonly #config: LoginsConfig;
  readonly #pairs = new LRUCache<string, Failures>({ max: MAX_REMEMBERED });
  readonly #accounts = new LRUCache<string, Failures>({ max: MAX_REMEMBERED });
  /** Only logins that succeeded add to it. */
  readonly #home = new LRUCache<string, true>({ max: MAX_REMEMBERED });

  constructor(config: LoginsConfig) {
    this.#config = config;
  }

  /** How long the claimant must still wait before a secret is looked at; 0 when it may try. */
  waitMs(claimant: Claimant, nowMs: number): number {
    const mine = this.#recent(this.#pairs, pairOf(claimant), nowMs);
    const pauseMs = mine ? mine.lastMs + this.#pauseMs(mine.count) - nowMs : 0;
    const all = this.isAtHome(claimant) ? undefined : this.#recent(this.#accounts, claimant.account, nowMs);
    const isLocked = all !== undefined && this.#locks(all.count);
    const lockMs = isLocked ? all.lastMs + this.#rememberMs - nowMs : 0;
    return Math.max(0, pauseMs, lockMs);
  }

  failed(claimant: Claimant, nowMs: number): void {
    const count = (cache: LRUCache<string, Failures>, key: string): void => {
      cache.set(key, { count: (this.#recent(cache, key, nowMs)?.count ?? 0) + 1, lastMs: nowMs });
    };
    count(this.#pairs, pairOf(claimant));
    count(this.#accounts, claimant.account);
  }

  /** The account keeps its count: else its owner's logins would give whoever guesses new tries. */
  succeeded(claimant: Claimant): void {
    this.#pairs.delete(pairOf(claimant));
    this.#home.set(pairOf(claimant), true);
  }

  /** Whether this account has logged in from this address before. */
  isAtHome(claimant: Claimant): boolean {
    return this.#home.has(pairOf(claimant));
  }

  get #rememberMs(): number {
    return this.#config.lockoutDurationSeconds * 1_000;
  }

  #recent(cache: LRUCache<string, Failures>, key: string, nowMs: number): Failures | undefined {
    const found = cache.get(key);
    return found && nowMs - found.lastMs < this.#rememberMs ? found : undefined;
  }

  #pauseMs(failures: number): number {
    const { backoffAfter, backoffMaxSeconds } = this.#config;
    if (backoffAfter === 0 || failures < backoffAfter) return 0;
    return 1_000 * Math.min(backoffMaxSeconds, 2 ** Math.min(30, failures - backoffAfter));
  }

  #locks(failures: number): boolean {
    const { lockoutFailureAttempts: most } = this.#config;
    return most > 0 && failures >= most;
  }
}

const pairOf = ({ address, account }: Claimant): string => `${address} ${account}`;
