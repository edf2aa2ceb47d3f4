import type { Clock } from "../../kernel/time.js";
import { zonesOf } from "../../model/aggregate-zone.js";
import { Bitset, ProviderIndex } from "../../placement/index/index.js";
import type { Holding, ProviderDetails } from "../../placement/index/index.js";
import type { AggregateView, HostFacts, HostView, Room } from "../domain/host-view.js";
import type {
  AggregateFacts,
  CellChange,
  CellSnapshot,
  InstanceState,
  Liveness,
  NodeFacts,
  PlacementBatch,
  ServiceFacts,
} from "../ports.js";
import { InstanceMap } from "./instance-map.js";

interface Reservation {
  readonly holdings: readonly Holding[];
  revision: number;
}

/** A claim of our own that the views already count. */
export interface OwnClaim {
  /** The claim is in placement since this revision: the feed will carry it. */
  confirm(revision: number): void;
  cancel(): void;
}

/**
 * Everything the scheduler knows, in memory: providers from placement's feed, hosts and instances from the
 * cells' feeds, liveness from the registry, and its own claims ahead of all feeds.
 */
export class Fleet {
  readonly index = new ProviderIndex();
  readonly instances: InstanceMap;
  readonly #services = new Map<
    string,
    Map<string, { readonly id: string; readonly service: ServiceFacts }>
  >();
  readonly #nodes = new Map<string, { readonly cell: string; readonly node: NodeFacts }>();
  readonly #own = new Set<Reservation>();
  readonly #reservedOn = new Map<string, Set<Reservation>>();
  readonly #base = new Map<string, ProviderDetails>();
  readonly #liveness: Liveness;
  #zones: ReadonlyMap<string, string> = new Map();
  #aggregates = new Map<string, readonly AggregateView[]>();
  #facts: ReadonlyMap<string, HostFacts> | undefined;
  #slots: Bitset | undefined;

  constructor(liveness: Liveness, clock: Clock, provisionalTtlMs: number) {
    this.#liveness = liveness;
    this.instances = new InstanceMap(clock, provisionalTtlMs);
  }

  /** Every host with a service and a hypervisor record, by compute node id. */
  hosts(): ReadonlyMap<string, HostFacts> {
    if (this.#facts !== undefined) return this.#facts;
    const facts = new Map<string, HostFacts>();
    for (const [id, { cell, node }] of this.#nodes) {
      const service = this.#services.get(cell)?.get(node.host)?.service;
      if (service !== undefined)
        facts.set(id, {
          ...node,
          ...service,
          cell,
          availabilityZone: this.#zones.get(node.host) ?? service.availabilityZone,
        });
    }
    return (this.#facts = facts);
  }

  /** Whether a host that is not seen alive is really down. */
  get settled(): boolean {
    return this.#liveness.settled();
  }

  /** Slots of the providers of all hosts; not to be changed. */
  hostSlots(): Bitset {
    return (this.#slots ??= Bitset.of([...this.hosts().keys()].flatMap((id) => this.index.slotOf(id) ?? [])));
  }

  /** A host as rules see it now. */
  view(facts: HostFacts): HostView {
    const { instances, ioOps } = this.instances.on(facts.host);
    return {
      ...facts,
      instances,
      ioOps,
      failedBuilds: this.instances.failedBuilds(facts.host),
      aggregates: this.#aggregates.get(facts.host) ?? [],
      up: this.#liveness.isUp(facts.host),
      vcpus: this.#room(facts.computeNodeId, "VCPU"),
      memoryMib: this.#room(facts.computeNodeId, "MEMORY_MB"),
      diskGib: this.#room(facts.computeNodeId, "DISK_GB"),
    };
  }

  #room(providerId: string, resourceClass: string): Room {
    const slot = this.index.slotOf(providerId);
    const column = this.index.column(resourceClass);
    if (slot === undefined || column === undefined || !column.has.has(slot)) return { capacity: 0, used: 0 };
    return { capacity: column.capacity[slot] ?? 0, used: column.used[slot] ?? 0 };
  }

  /** Takes changes in any order: an older batch than what is known says nothing new. */
  applyPlacement(batch: PlacementBatch): void {
    if (!batch.reset && batch.revision <= this.index.revision) return;
    if (batch.reset) {
      this.index.clear();
      this.#base.clear();
    }
    for (const own of this.#own) if (own.revision <= batch.revision) this.#drop(own);
    if (batch.reset || batch.providers.length > 0 || batch.deletedProviderIds.length > 0)
      this.#slots = undefined;
    for (const id of batch.deletedProviderIds) {
      this.index.remove(id);
      this.#base.delete(id);
    }
    for (const provider of batch.providers) this.#put(provider);
    for (const { id, generation, updatedAt, inventories } of batch.usedProviders) {
      const known = this.#base.get(id);
      if (known !== undefined) this.#put({ ...known, generation, updatedAt, inventories });
    }
    this.index.revision = batch.revision;
  }

  #put(provider: ProviderDetails): void {
    this.#base.set(provider.id, provider);
    this.index.put(provider);
    if (this.#reservedOn.has(provider.id)) this.#recount(provider.id);
  }

  /** Counts a claim before placement has heard of it, so that the next decision does not run into it. */
  claim(holdings: readonly Holding[]): OwnClaim {
    const own: Reservation = { holdings, revision: Infinity };
    this.#own.add(own);
    for (const { providerId } of holdings) {
      let set = this.#reservedOn.get(providerId);
      if (set === undefined) this.#reservedOn.set(providerId, (set = new Set()));
      set.add(own);
      this.#recount(providerId);
    }
    return {
      confirm: (revision) => {
        if (revision <= this.index.revision) this.#drop(own);
        else own.revision = revision;
      },
      cancel: () => this.#drop(own),
    };
  }

  #drop(own: Reservation): void {
    if (!this.#own.delete(own)) return;
    for (const { providerId } of own.holdings) {
      const set = this.#reservedOn.get(providerId);
      set?.delete(own);
      if (set?.size === 0) this.#reservedOn.delete(providerId);
      this.#recount(providerId);
    }
  }

  /** Usage as the feed told it plus what is not in it yet. */
  #recount(providerId: string): void {
    const base = this.#base.get(providerId);
    if (base === undefined) return;
    const extra = new Map<string, number>();
    for (const { holdings } of this.#reservedOn.get(providerId) ?? []) {
      for (const holding of holdings) {
        if (holding.providerId !== providerId) continue;
        for (const [resourceClass, amount] of holding.resources)
          extra.set(resourceClass, (extra.get(resourceClass) ?? 0) + amount);
      }
    }
    this.index.putUsage({
      ...base,
      inventories: base.inventories.map((one) => ({
        ...one,
        used: one.used + (extra.get(one.resourceClass) ?? 0),
      })),
    });
  }

  /** Replaces what is known of a cell's hosts; instances too, when the snapshot has them. */
  applySnapshot(
    cell: string,
    { services, nodes, instances }: Pick<CellSnapshot, "services" | "nodes"> & Partial<CellSnapshot>,
  ): void {
    this.#services.set(cell, new Map(services.map((one) => [one.service.host, one])));
    for (const [id, one] of this.#nodes) if (one.cell === cell) this.#nodes.delete(id);
    for (const { id, node } of nodes) this.#nodes.set(id, { cell, node });
    if (instances !== undefined) this.instances.replaceCell(cell, instances);
    this.#forgetHosts();
  }

  applyChange(cell: string, change: CellChange): void {
    switch (change.kind) {
      case "instance":
        return this.instances.apply(cell, change.id, change.instance);
      case "node":
        if (change.node === undefined) this.#nodes.delete(change.id);
        else this.#nodes.set(change.id, { cell, node: change.node });
        break;
      case "service":
        this.#applyService(cell, change.id, change.service);
    }
    this.#forgetHosts();
  }

  /** Replaces what is known of host aggregates. */
  applyAggregates(all: readonly AggregateFacts[]): void {
    this.#zones = zonesOf(all);
    this.#aggregates = new Map();
    for (const { id, hosts, metadata } of all) {
      for (const host of hosts)
        this.#aggregates.set(host, [...(this.#aggregates.get(host) ?? []), { id, metadata }]);
    }
    this.#forgetHosts();
  }

  #applyService(cell: string, id: string, service: ServiceFacts | undefined): void {
    let services = this.#services.get(cell);
    if (services === undefined) this.#services.set(cell, (services = new Map()));
    if (service !== undefined) services.set(service.host, { id, service });
    else for (const [host, one] of services) if (one.id === id) services.delete(host);
  }

  #forgetHosts(): void {
    this.#facts = undefined;
    this.#slots = undefined;
  }

  /** Forgets a cell that is gone or disabled. */
  dropCell(cell: string): void {
    this.applySnapshot(cell, { services: [], nodes: [], instances: [] });
  }
}

export type { InstanceState };
