import { LRUCache } from "lru-cache";
import type { Clock, Ctx } from "../../../kernel/index.js";
import type { RightsChange } from "../../../model/rights-change.js";
import { concerns } from "../../../model/rights-change.js";
import { OpenOutcomes, isOutcomeOpen } from "../../shared/open-outcome.js";
import type { TokenView } from "../domain/model.js";

/** Longest time that another process's change (there is none in the embedded cloud) could go unnoticed. */
const FRESH_MS = 5_000;
const MAX_TOKENS = 10_000;

/** Whatever may change what a token is worth; a new token changes nothing about the others. */
const CHANGES = /^(insert|update|delete|remove|revoke|grant|imply|unimply)/;

const EVERYBODY: RightsChange = { of: "everybody" };

/** A reading under way, with the changes that came meanwhile. */
type Reading = RightsChange[];

/** Whom a call concerns: read from its arguments after the context. Methods that are not named: everybody. */
export type Concerned<T> = {
  readonly [K in keyof T]?: T[K] extends (ctx: Ctx, ...args: infer A) => unknown
    ? (...args: A) => RightsChange | undefined
    : never;
};

/**
 * Remembers valid tokens for the services beside Identity, which ask about the same few again and again.
 * Forgets those that a change in Identity may concern before the change is answered, and tells whoever else
 * remembers tokens in this process: a revoked token is refused from then on. After a change of which nobody
 * knows whether it is stored, because its client left or the database did, it forgets again a little later.
 */
export class KnownTokens {
  readonly #views = new LRUCache<string, TokenView>({ max: MAX_TOKENS, ttl: FRESH_MS });
  readonly #clock: Clock;
  readonly #tell: (change: RightsChange) => void;
  readonly #readings = new Set<Reading>();
  readonly #open: OpenOutcomes;

  constructor(
    clock: Clock,
    tell: (change: RightsChange) => void = () => {},
    open: OpenOutcomes = new OpenOutcomes(),
  ) {
    this.#clock = clock;
    this.#tell = tell;
    this.#open = open;
  }

  async find(
    ctx: Ctx,
    hash: Buffer,
    read: (ctx: Ctx) => Promise<TokenView | undefined>,
  ): Promise<TokenView | undefined> {
    const key = hash.toString("base64");
    const known = this.#views.get(key);
    if (known && known.record.expiresAt > this.#clock.now()) return known;
    const reading: Reading = [];
    this.#readings.add(reading);
    try {
      const view = await read(ctx);
      if (view && !reading.some((change) => concerns(change, key, view.record.userId)))
        this.#views.set(key, view);
      return view;
    } finally {
      this.#readings.delete(reading);
    }
  }

  /**
   * The same store, but every method that changes something also makes this forget.
   * @param concerned  whom some methods concern; undefined means nobody
   */
  watching<T extends object>(store: T, concerned: Concerned<T> = {}): T {
    const watched = Object.entries(store).map(([name, method]) => {
      if (typeof method !== "function" || !CHANGES.test(name)) return [name, method] as const;
      const change = method as (ctx: Ctx, ...args: unknown[]) => Promise<unknown>;
      const whom = (
        concerned as Record<string, ((...args: unknown[]) => RightsChange | undefined) | undefined>
      )[name];
      return [
        name,
        async (ctx: Ctx, ...args: unknown[]) => {
          const about = whom ? whom(...args) : EVERYBODY;
          try {
            return await change.call(store, ctx, ...args);
          } catch (error) {
            if (about && isOutcomeOpen(error)) this.#open.note(() => this.#forget(about));
            throw error;
          } finally {
            this.#forget(about);
          }
        },
      ] as const;
    });
    return Object.fromEntries(watched) as T;
  }

  #forget(change: RightsChange | undefined): void {
    if (!change) return;
    for (const reading of this.#readings) reading.push(change);
    if (change.of === "everybody") this.#views.clear();
    else if (change.of === "token") this.#views.delete(change.key);
    else
      for (const [key, view] of this.#views.entries())
        if (concerns(change, key, view.record.userId)) this.#views.delete(key);
    this.#tell(change);
  }
}
