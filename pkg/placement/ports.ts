import type { Ctx } from "../kernel/ctx.js";
import type { LedgerDiff, LedgerSnapshot } from "./domain/ledger-types.js";
import type { Consumer, Inventory, Provider, ProviderDetails, Shape } from "./domain/model.js";

/** Which providers are meant; conditions are ANDed, none means all. */
export interface ProviderFilter {
  readonly ids?: readonly string[];
  readonly name?: string;
  /** A provider whose whole tree is meant. */
  readonly inTreeOf?: string;
}

/** Sums of what consumers hold. `consumerType` is "" for consumers without one. */
export interface UsageRow {
  readonly consumerType: string;
  readonly resourceClass: string;
  readonly used: number;
}

export type NameKind = "trait" | "resource_class";

/** What changed after a revision, as of another. */
export interface Changes {
  /** Everything up to here is included. */
  readonly revision: number;
  /** Changed in any way. */
  readonly providers: readonly ProviderDetails[];
  /** Changed in nothing but usage and generation; traits and aggregates are empty here. */
  readonly usedProviders: readonly ProviderDetails[];
  readonly deletedProviderIds: readonly string[];
}

/** One snapshot of Placement's data. */
export interface PlacementReader {
  providers(filter: ProviderFilter): Promise<Provider[]>;
  /** Inventories by provider, each list by class. */
  inventories(providerIds: readonly string[]): Promise<ReadonlyMap<string, Inventory[]>>;
  shapes(providerIds: readonly string[]): Promise<ReadonlyMap<string, Shape>>;
  /** Consumers with all they hold: by id, or those with something on a provider. */
  consumers(by: { readonly ids: readonly string[] } | { readonly providerId: string }): Promise<Consumer[]>;
  usages(by: {
    readonly projectId: string;
    readonly userId?: string;
    readonly consumerType?: string;
  }): Promise<{
    readonly rows: UsageRow[];
    /** Consumers by type. */
    readonly counts: ReadonlyMap<string, number>;
  }>;
  /** Custom names: those among `names`, or all. */
  customNames(kind: NameKind, names?: readonly string[]): Promise<string[]>;
  /** Traits that some provider has. */
  associatedTraits(): Promise<ReadonlySet<string>>;
  head(): Promise<number>;
  /** @param after  0 for everything */
  changesAfter(revision: number): Promise<Changes>;
}

/** One transaction. Whatever touches a provider moves the head's revision at the end of the transaction. */
export interface PlacementWriter extends PlacementReader {
  insertProvider(provider: Pick<Provider, "id" | "name" | "parentId" | "rootId">): Promise<void>;
  /** Name, parent, root: changes that clients do not see as a new generation. */
  updateProvider(provider: Pick<Provider, "id" | "name" | "parentId" | "rootId">): Promise<void>;
  deleteProvider(id: string): Promise<void>;
  /** Sets the provider's generation and marks it as changed. */
  bumpGeneration(id: string, to: number): Promise<void>;
  /** Writes the given inventories (never `used`) and removes the named classes. */
  saveInventories(providerId: string, put: readonly Inventory[], remove: readonly string[]): Promise<void>;
  saveShape(providerId: string, shape: Shape): Promise<void>;
  addName(kind: NameKind, name: string): Promise<boolean>;
  removeName(kind: NameKind, name: string): Promise<boolean>;
  /** Everywhere where it occurs. */
  renameClass(from: string, to: string): Promise<void>;
  classInUse(name: string): Promise<boolean>;
  /**
   * Reads what decisions about these consumers may depend on: they, what they hold, and the providers
   * concerned.
   */
  loadLedger(consumerIds: readonly string[], providerIds: readonly string[]): Promise<LedgerSnapshot>;
  saveLedger(diff: LedgerDiff): Promise<void>;
}

export interface PlacementStore {
  read<T>(ctx: Ctx, name: string, fn: (reader: PlacementReader) => Promise<T>): Promise<T>;
  /**
   * Runs as one transaction, again as a whole after a conflict. @returns what `fn` gave and the head after
   * the commit
   */
  write<T>(
    ctx: Ctx,
    name: string,
    fn: (writer: PlacementWriter) => Promise<T>,
  ): Promise<{ readonly result: T; readonly revision: number }>;
  /** The head's revision: one cheap statement. */
  head(ctx: Ctx): Promise<number>;
  /**
   * Drops tombstones buried before this many milliseconds ago; no message lives that long. @returns how many
   */
  sweepTombstones(ctx: Ctx, olderThanMs: number): Promise<number>;
}
