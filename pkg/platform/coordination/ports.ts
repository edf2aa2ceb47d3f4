import type { Ctx } from "../../kernel/ctx.js";

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface Listing {
  /** By key, ascending. */
  readonly entries: readonly KeyValue[];
  readonly revision: number;
}

/**
 * What a watcher learns. `snapshot` replaces everything known: it comes first, and again whenever the store
 * could not tell all that happened in between (compaction, a wiped store). After it, every change, in order.
 */
export type WatchEvent =
  | { readonly kind: "snapshot"; readonly entries: readonly KeyValue[] }
  | { readonly kind: "put"; readonly entry: KeyValue }
  | { readonly kind: "delete"; readonly key: string };

/** The store that says who is alive. Losing all of it loses no truth: epochs and fences are minted in SQL. */
export interface CoordinationStore {
  /**
   * Takes a lease and keeps it alive in the background until it is revoked or lost.
   * @param ttlMs  how long the store keeps it without news; real stores round up to whole seconds
   * @throws STORE_UNAVAILABLE
   */
  grant(ctx: Ctx, ttlMs: number): Promise<Lease>;
  /** @throws STORE_UNAVAILABLE */
  get(ctx: Ctx, key: string): Promise<KeyValue | undefined>;
  /** @throws STORE_UNAVAILABLE */
  list(ctx: Ctx, prefix: string): Promise<Listing>;
  /**
   * Follows all keys with a prefix until the context ends (then it returns); reconnects by itself and never
   * throws for it.
   */
  watch(ctx: Ctx, prefix: string): AsyncGenerator<WatchEvent, void, void>;
  /** Stops all watches and renewals; leases are left to expire. */
  close(): Promise<void>;
}

/**
 * A sign of life. Its keys vanish with it. The holder judges for itself: `signal` fires, and `held` turns
 * false, before the store can have given the lease up, also when the store is unreachable or this process
 * stood still.
 */
export interface Lease {
  readonly id: string;
  readonly ttlMs: number;
  /**
   * Aborts when the lease is lost (reason LEASE_LOST) or revoked. Everything done in its name hangs on it.
   */
  readonly signal: AbortSignal;
  /**
   * Whether it is certainly still ours; asks the monotonic clock, so it is right even before a late timer
   * fires.
   */
  readonly held: boolean;
  /** @returns the revision of the change. @throws LEASE_LOST, STORE_UNAVAILABLE */
  put(ctx: Ctx, key: string, value: string): Promise<number>;
  /** @throws STORE_UNAVAILABLE */
  delete(ctx: Ctx, key: string): Promise<void>;
  /** Gives it back: its keys vanish now. Does not throw: an unreachable store forgets it by itself. */
  revoke(ctx: Ctx): Promise<void>;
}
