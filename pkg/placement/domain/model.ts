import type { Instant } from "../../kernel/time.js";

/** Amount by resource class; amounts are whole numbers of at least 1. */
export type Amounts = ReadonlyMap<string, number>;

/** What a provider has of one resource class. Capacity is `(total - reserved) * allocationRatio`. */
export interface Inventory {
  readonly resourceClass: string;
  readonly total: number;
  readonly reserved: number;
  readonly minUnit: number;
  readonly maxUnit: number;
  readonly stepSize: number;
  readonly allocationRatio: number;
  /** Sum of all allocations. */
  readonly used: number;
}

export interface Provider {
  readonly id: string;
  readonly name: string;
  /** Optimistic lock of everything about the provider that clients may write. */
  readonly generation: number;
  /** "" for a root. */
  readonly parentId: string;
  /** Itself for a root. */
  readonly rootId: string;
  readonly updatedAt: Instant;
}

/** What others attach to a provider; changes rarely, unlike usage. */
export interface Shape {
  readonly traits: readonly string[];
  readonly aggregates: readonly string[];
}

export interface ProviderDetails extends Provider, Shape {
  readonly inventories: readonly Inventory[];
}

/** What a consumer holds, or shall hold, on one provider. */
export interface Holding {
  readonly providerId: string;
  readonly resources: Amounts;
}

/** Everything that a consumer shall hold from now on. No holdings removes the consumer. */
export interface ConsumerChange {
  readonly consumerId: string;
  readonly projectId: string;
  readonly userId: string;
  /** "" when the writer does not know types (REST below 1.38): the consumer keeps the one it has. */
  readonly consumerType: string;
  /** `new`: must hold nothing yet; `any`: whatever it is. */
  readonly expected: number | "new" | "any";
  readonly holdings: readonly Holding[];
}

/** What an operation claims for a consumer: it shall hold this, and what it has in trees that it keeps. */
export interface ConsumerClaim extends ConsumerChange {
  /** Providers in whose trees the consumer keeps what it holds; none in most claims. */
  readonly keepTrees: readonly string[];
}

/**
 * Everything that one consumer holds goes to another, which holds nothing else afterwards. Unless the same
 * claim gives the first one something new, it vanishes.
 */
export interface TakeOver {
  readonly consumerId: string;
  /** "" keeps the type that the consumer has. */
  readonly consumerType: string;
  readonly expected: number | "new";
  readonly from: string;
  /** Of the consumer taken from, where the same claim does not say what to expect of it. */
  readonly expectedFrom: number | "any";
}

/** What one claim changes, all or nothing; each consumer is named once. */
export interface Claim {
  readonly claims: readonly ConsumerClaim[];
  readonly takeOvers: readonly TakeOver[];
}

export interface Consumer {
  readonly consumerId: string;
  readonly projectId: string;
  readonly userId: string;
  readonly consumerType: string;
  readonly generation: number;
  /** Operation that claimed last; "" when written otherwise. */
  readonly claimOperation: string;
  readonly claimFence: number;
  readonly holdings: readonly Holding[];
}

/** A claim that was undone: claims of the operation under this fence or a lower one are refused. */
export interface Tombstone {
  readonly consumerId: string;
  readonly operation: string;
  readonly fence: number;
}

/**
 * The trait that makes a provider share its inventories with every tree that has a member in one of its
 * aggregates.
 */
export const SHARING_TRAIT = "MISC_SHARES_VIA_AGGREGATE";
