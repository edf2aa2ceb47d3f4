import type { Ctx } from "../../kernel/ctx.js";
import { raceAbort, whenAborted } from "../../kernel/signals.js";
import type { CoordinationStore, Lease } from "./ports.js";

const RETAKE_MS = 500;

/** A key that lives as long as its owner. */
export interface KeptKey {
  /** Whether the store certainly has it now. */
  readonly held: boolean;
  /** Ends when the key was given back, after `ctx` ended. */
  readonly released: Promise<void>;
}

/**
 * Puts a key under a lease and keeps it: a lost lease is taken again until `ctx` ends, which gives the key
 * back. Resolves when it is there for the first time.
 * @throws STORE_UNAVAILABLE when it cannot be had at first
 */
export async function keepKey(
  ctx: Ctx,
  store: CoordinationStore,
  ttlMs: number,
  key: string,
  value: string,
): Promise<KeptKey> {
  const keeper = new Keeper(store, ttlMs, key, value);
  await keeper.take(ctx);
  const released = keeper.keep(ctx);
  return {
    get held() {
      return keeper.held;
    },
    released,
  };
}

class Keeper {
  readonly #store: CoordinationStore;
  readonly #ttlMs: number;
  readonly #key: string;
  readonly #value: string;
  #lease: Lease | undefined;

  constructor(store: CoordinationStore, ttlMs: number, key: string, value: string) {
    this.#store = store;
    this.#ttlMs = ttlMs;
    this.#key = key;
    this.#value = value;
  }

  get held(): boolean {
    return this.#lease?.held ?? false;
  }

  async take(ctx: Ctx): Promise<void> {
    this.#lease = undefined;
    const lease = await this.#store.grant(ctx, this.#ttlMs);
    await lease.put(ctx, this.#key, this.#value);
    this.#lease = lease;
  }

  /** Takes a new lease whenever the old one is lost; gives it back when `ctx` ends. */
  async keep(ctx: Ctx): Promise<void> {
    for (;;) {
      if (this.#lease) await raceAbort(aborted(this.#lease.signal), ctx.signal).catch(() => {});
      if (ctx.signal.aborted) {
        // The context that ended would refuse the call.
        await this.#lease?.revoke({ ...ctx, signal: new AbortController().signal, deadlineMs: undefined });
        return;
      }
      try {
        await this.take(ctx);
        ctx.log.warn("lease.retaken", { key: this.#key });
      } catch (error) {
        ctx.log.warn("lease.failed", { key: this.#key, error });
        await new Promise((resolve) => setTimeout(resolve, RETAKE_MS));
      }
    }
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => void whenAborted(signal, resolve));
