import { LRUCache } from "lru-cache";
import type { Clock, Ctx } from "../../../kernel/index.js";
import type { TokenView } from "../domain/model.js";

/** Longest time that another process's change (there is none in the embedded cloud) could go unnoticed. */
const FRESH_MS = 5_000;
const MAX_TOKENS = 10_000;

/** Whatever may change what a token is worth; a new token changes nothing about the others. */
const CHANGES = /^(insert|update|delete|remove|revoke|grant|imply|unimply)/;

/**
 * Remembers valid tokens for the services beside Identity, which ask about the same few again and again.
 * Forgets all of them when anything in Identity changes, before the change is answered: a revoked token is
 * refused from then on.
 */
export class KnownTokens {
  readonly #views = new LRUCache<string, TokenView>({ max: MAX_TOKENS, ttl: FRESH_MS });
  readonly #clock: Clock;
  /** Grows with each change: what was read before one is not remembered after it. */
  #epoch = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async find(
    ctx: Ctx,
    hash: Buffer,
    read: (ctx: Ctx) => Promise<TokenView | undefined>,
  ): Promise<TokenView | undefined> {
    const key = hash.toString("base64");
    const known = this.#views.get(key);
    if (known && known.record.expiresAt > this.#clock.now()) return known;
    const epoch = this.#epoch;
    const view = await read(ctx);
    if (view && epoch === this.#epoch) this.#views.set(key, view);
    return view;
  }

  /** The same store, but every method that changes something also makes this forget. */
  watching<T extends object>(store: T, except: readonly string[] = []): T {
    const watched = Object.entries(store).map(([name, method]) => {
      if (typeof method !== "function" || !CHANGES.test(name) || except.includes(name))
        return [name, method] as const;
      const change = method as (...args: unknown[]) => Promise<unknown>;
      return [
        name,
        async (...args: unknown[]) => {
          try {
            return await change.apply(store, args);
          } finally {
            this.#forget();
          }
        },
      ] as const;
    });
    return Object.fromEntries(watched) as T;
  }

  #forget(): void {
    this.#epoch += 1;
    this.#views.clear();
  }
}
