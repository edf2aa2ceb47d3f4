import { whenAborted } from "../../kernel/signals.js";
import type { Clock } from "../../kernel/time.js";
import { CoordinationErrors } from "./errors.js";

/** Renewals per TTL; two may be lost before the third decides. */
const RENEWALS_PER_TTL = 4;
const LONGEST_RENEWAL_MS = 1_000;
/**
 * Part of the TTL that is given away so that the holder always stops before the store lets go: transit,
 * drift, timers.
 */
const MARGIN = 0.2;

export type Renewal = "renewed" | "gone";

/**
 * Keeps one lease alive and fences its holder. What counts is the moment *before* a successful renewal was
 * sent: from there the store waits at least a TTL, so the holder may believe for TTL minus margin. No answer,
 * a stalled store and a blocked event loop all look the same, and all end the same way. (etcd3's own `lost`
 * event comes after up to twice the TTL, or never while etcd is down.)
 */
export class LeaseKeeper {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #abort = new AbortController();
  #validUntilMs: number;

  /** @param sentMs  monotonic time before the grant was asked for */
  constructor(clock: Clock, ttlMs: number, sentMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#validUntilMs = sentMs + ttlMs * (1 - MARGIN);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get held(): boolean {
    if (!this.#abort.signal.aborted && this.#clock.monotonicMs() >= this.#validUntilMs) this.lose();
    return !this.#abort.signal.aborted;
  }

  lose(): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(CoordinationErrors.LEASE_LOST({}));
  }

  /** The holder gave it back on purpose. */
  end(): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(CoordinationErrors.LEASE_REVOKED({}));
  }

  /**
   * Renews until the lease is lost or ended. `renew` may throw (tried again) and may hang; it
   * answers "gone" when the store itself says so.
   */
  async run(renew: (signal: AbortSignal) => Promise<Renewal>): Promise<void> {
    await Promise.all([this.#renewals(renew), this.#watchdog()]);
  }

  async #renewals(renew: (signal: AbortSignal) => Promise<Renewal>): Promise<void> {
    const everyMs = Math.min(LONGEST_RENEWAL_MS, this.#ttlMs / RENEWALS_PER_TTL);
    for (let pauseMs = everyMs; await this.#pause(pauseMs);) {
      const sentMs = this.#clock.monotonicMs();
      const outcome = await this.#tryOnce(renew);
      if (outcome === "gone") {
        this.lose();
        return;
      }
      if (outcome === "renewed")
        this.#validUntilMs = Math.max(this.#validUntilMs, sentMs + this.#ttlMs * (1 - MARGIN));
      pauseMs =
        outcome === "failed" ? everyMs / 4 : Math.max(0, everyMs - (this.#clock.monotonicMs() - sentMs));
    }
  }

  async #tryOnce(renew: (signal: AbortSignal) => Promise<Renewal>): Promise<Renewal | "failed"> {
    let leave = (): void => {};
    const lost = new Promise<"failed">((resolve) => {
      leave = whenAborted(this.signal, () => resolve("failed"));
    });
    try {
      return await Promise.race([renew(this.signal), lost]);
    } catch {
      // Unreachable or slow: the watchdog decides how long that may last.
      return "failed";
    } finally {
      leave();
    }
  }

  async #watchdog(): Promise<void> {
    while (this.held) {
      // `held` is asked again at the end of each sleep, so a renewal meanwhile prolongs it.
      if (!(await this.#pause(Math.max(1, this.#validUntilMs - this.#clock.monotonicMs())))) return;
    }
  }

  /** @returns whether the lease lives on after the pause */
  async #pause(ms: number): Promise<boolean> {
    try {
      await this.#clock.sleep(ms, this.signal);
      return true;
    } catch {
      // Aborted: that is the answer.
      return false;
    }
  }
}
