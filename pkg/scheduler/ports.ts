import type { Ctx } from "../kernel/ctx.js";
import type { Holding, ProviderDetails } from "../placement/index/index.js";
import type { AggregateView, HostFacts, InstanceView } from "./domain/host-view.js";

/** Who is alive, by the coordination registry. Never waits. */
export interface Liveness {
  isUp(host: string): boolean;
  /**
   * False while hosts that are well may not have announced themselves yet: after a start, or when the
   * registry lost its memory.
   */
  settled(): boolean;
}

export interface ClaimRequest {
  readonly serverId: string;
  readonly projectId: string;
  readonly userId: string;
  readonly operation: string;
  readonly fence: number;
  readonly attempt: number;
  readonly holdings: readonly Holding[];
  /** Generation of the consumer when it holds something already. */
  readonly expected: number | "new";
  /** Migration that takes over what the server holds; "" for none. */
  readonly migrationId: string;
  /** Providers in whose trees the server keeps what it holds. */
  readonly keepTrees: readonly string[];
}

export interface Claimed {
  /** Of the server as a consumer. */
  readonly generation: number;
  /** Of the migration; 0 without one. */
  readonly migrationGeneration: number;
  readonly revision: number;
}

export interface HeldClaim {
  readonly generation: number;
  readonly operation: string;
  readonly fence: number;
  readonly holdings: readonly Holding[];
}

export interface PlacementBatch {
  readonly revision: number;
  readonly reset: boolean;
  readonly providers: readonly ProviderDetails[];
  readonly usedProviders: readonly ProviderDetails[];
  readonly deletedProviderIds: readonly string[];
}

/** What the scheduler asks of placement. */
export interface Placement {
  /** @throws what PlacementService.ClaimAllocations says */
  claim(ctx: Ctx, request: ClaimRequest): Promise<Claimed>;
  held(ctx: Ctx, serverId: string): Promise<HeldClaim | undefined>;
  changes(ctx: Ctx, afterRevision: number): AsyncIterable<PlacementBatch>;
}

/** What a service record says about a host; half of `HostFacts`. */
export type ServiceFacts = Pick<
  HostFacts,
  "host" | "availabilityZone" | "address" | "disabled" | "disabledReason" | "forcedDown"
>;
/** What a hypervisor record says; the other half. */
export type NodeFacts = Omit<HostFacts, keyof ServiceFacts | "cell"> & { readonly host: string };

export type InstanceState = InstanceView & {
  readonly state: "building" | "active" | "error" | "other";
};

/** One change of a cell, as its feed tells. */
export type CellChange =
  | { readonly kind: "service"; readonly id: string; readonly service: ServiceFacts | undefined }
  | { readonly kind: "node"; readonly id: string; readonly node: NodeFacts | undefined }
  | { readonly kind: "instance"; readonly id: string; readonly instance: InstanceState | undefined };

export interface CellSnapshot {
  readonly services: readonly { readonly id: string; readonly service: ServiceFacts }[];
  readonly nodes: readonly { readonly id: string; readonly node: NodeFacts }[];
  readonly instances: readonly InstanceState[];
}

/** A host aggregate as far as scheduling cares. */
export interface AggregateFacts extends AggregateView {
  readonly hosts: readonly string[];
}

/** What the scheduler asks of the cells service. */
export interface Cells {
  /** Cells to which new servers may go. */
  list(ctx: Ctx): Promise<string[]>;
  /** All aggregates, now and again after each change, for ever. */
  watchAggregates(ctx: Ctx): AsyncIterable<readonly AggregateFacts[]>;
  hosts(ctx: Ctx, cell: string): Promise<Pick<CellSnapshot, "services" | "nodes">>;
  /** A snapshot and then changes, for ever; throws when the feed was compacted or the cell went away. */
  watch(
    ctx: Ctx,
    cell: string,
  ): AsyncIterable<{ readonly snapshot: CellSnapshot } | { readonly changes: readonly CellChange[] }>;
}
