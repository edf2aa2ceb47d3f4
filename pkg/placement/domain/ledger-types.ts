import type { AskedChange } from "./ledger-fit.js";
import type { Consumer, Inventory, Tombstone } from "./model.js";

/** A provider as far as allocations concern it. */
export interface LedgerProvider {
  readonly id: string;
  readonly generation: number;
  /** Root of its tree; itself for a root. */
  readonly rootId: string;
  readonly inventories: readonly Inventory[];
}

/** Everything that one transaction's decisions may depend on. */
export interface LedgerSnapshot {
  readonly providers: readonly LedgerProvider[];
  readonly consumers: readonly Consumer[];
  readonly tombstones: readonly Tombstone[];
}

/** What has to be written. Amounts and generations are final values, not differences. */
export interface LedgerDiff {
  readonly usages: readonly {
    readonly providerId: string;
    readonly resourceClass: string;
    readonly used: number;
  }[];
  /** Every provider whose usage or generation changed. */
  readonly providers: readonly { readonly id: string; readonly generation: number }[];
  readonly consumers: readonly Consumer[];
  readonly removedConsumers: readonly string[];
  readonly allocations: readonly AllocationRow[];
  readonly removedAllocations: readonly Omit<AllocationRow, "amount">[];
  readonly tombstones: readonly Tombstone[];
}

export interface AllocationRow {
  readonly consumerId: string;
  readonly providerId: string;
  readonly resourceClass: string;
  readonly amount: number;
}

/** `fence` grows with each owner of the operation and with each of an owner's attempts. */
export interface ClaimKey {
  readonly operation: string;
  readonly fence: number;
}

/** The working copy as the rules about claims see it. */
export interface LedgerState {
  held(consumerId: string): Consumer | undefined;
  /** Root of a provider's tree; undefined when there is no such provider. */
  rootOf(providerId: string): string | undefined;
  /** The highest fence of an operation whose claims for a consumer come too late; undefined for none. */
  buried(consumerId: string, operation: string): number | undefined;
  /** Claims of the operation for the consumer come too late from now on, up to this fence. */
  bury(tombstone: Tombstone): void;
  /**
   * Changes what consumers hold, as a claim of `key` or as nobody's. Claims of others that are replaced are
   * buried, and those of consumers that vanish.
   * @param bump  whether generations of providers rise
   */
  move(changes: readonly AskedChange[], key: ClaimKey | undefined, bump: boolean): void;
  /** Marks what a consumer holds as a claim of `key`, or as nobody's; nothing else changes. */
  stamp(consumerId: string, key: ClaimKey | undefined): void;
}
