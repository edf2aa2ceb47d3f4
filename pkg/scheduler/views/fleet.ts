import { merged } from "../../kernel/merged.js";
import type { Clock } from "../../kernel/time.js";
import { Bitset, ProviderIndex } from "../../placement/index/index.js";
import type { Holding, ProviderDetails } from "../../placement/index/index.js";
import type { HostFacts, HostView, Room } from "../domain/host-view.js";
import type {
  AggregateFacts,
  CellChange,
  CellSnapshot,
  InstanceState,
  Liveness,
  PlacementBatch,
} from "../ports.js";
import { HostMap } from "./host-map.js";
import type { HostName } from "./host-map.js";
import type { HostIndex, HypervisorKind } from "../domain/host-prefilters.js";
import { InstanceMap } from "./instance-map.js";

interface Reservation {
  readonly holdings: readonly Holding[];
  revision: number;
}

const none = new Bitset();

function slotSet(sets: Map<string, Bitset>, key: string): Bitset {
  let set = sets.get(key);
  if (set === undefined) sets.set(key, (set = new Bitset()));
  return set;
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
 *
 * @cost a change of one host, provider or instance costs the same however large the fleet is; a request pays
 *   for the hosts that it names or is given, and one bit for each other
 */
export class Fleet implements HostIndex {
  readonly index = new ProviderIndex();
  readonly instances: InstanceMap;
  readonly #own = new Set<Reservation>();
  readonly #reservedOn = new Map<string, Set<Reservation>>();
  readonly #base = new Map<string, ProviderDetails>();
  readonly #liveness: Liveness;
  readonly #hosts = new HostMap((id, before, after) => this.#hostChanged(id, before, after));
  /** Slots of the providers of all hosts, and of those in each cell and zone and of each hypervisor. */
  #slots = new Bitset();
  readonly #cellSlots = new Map<string, Bitset>();
  readonly #zoneSlots = new Map<string, Bitset>();
  readonly #hypervisors = new Map<string, HypervisorKind>();

  constructor(liveness: Liveness, clock: Clock, provisionalTtlMs: number) {
    this.#liveness = liveness;
    this.instances = new InstanceMap(clock, provisionalTtlMs);
  }

  /** Every host with a service and a hypervisor record, by compute node id. The map goes on changing. */
  hosts(): ReadonlyMap<string, HostFacts> {
    return this.#hosts.all;
  }

  /** Hosts of that name; one, unless cells share a name. */
  hostsNamed(host: string): HostFacts[] {
    return [...this.#hosts.named("host", host)].flatMap((id) => this.#hosts.all.get(id) ?? []);
  }

  /** Whether a host that is not seen alive is really down. */
  get settled(): boolean {
    return this.#liveness.settled();
  }

  /** Slots of the providers of all hosts; not to be changed. */
  all(): Bitset {
    return this.#slots;
  }

  /** Slots of the hosts in a zone; not to be changed. */
  inZone(zone: string): Bitset {
    return this.#zoneSlots.get(zone) ?? none;
  }

  /** Slots of the hosts in a cell; not to be changed. */
  inCell(cell: string): Bitset {
    return this.#cellSlots.get(cell) ?? none;
  }

  hypervisors(): Iterable<HypervisorKind> {
    return this.#hypervisors.values();
  }

  /** Slots of the hosts of that name. */
  named(kind: HostName, name: string): Bitset {
    return Bitset.of([...this.#hosts.named(kind, name)].flatMap((id) => this.index.slotOf(id) ?? []));
  }

  /** Keeps the slots as they are to be: of hosts that have a provider. */
  #hostChanged(id: string, before: HostFacts | undefined, after: HostFacts | undefined): void {
    const slot = this.index.slotOf(id);
    if (slot === undefined) return;
    if (before !== undefined) for (const set of this.#slotSets(before)) set.delete(slot);
    if (after === undefined) return;
    for (const set of this.#slotSets(after)) set.add(slot);
  }

  /** The sets that a host is in. */
  #slotSets({
    cell,
    availabilityZone,
    hypervisorType: type,
    hypervisorVersion: version,
  }: HostFacts): Bitset[] {
    const kind = `${version}/${type}`;
    let hypervisor = this.#hypervisors.get(kind);
    if (hypervisor === undefined)
      this.#hypervisors.set(kind, (hypervisor = { type, version, slots: new Bitset() }));
    return [
      this.#slots,
      slotSet(this.#cellSlots, cell),
      slotSet(this.#zoneSlots, availabilityZone),
      hypervisor.slots,
    ];
  }

  /** A host as rules see it now. */
  view(facts: HostFacts): HostView {
    const { instances, ioOps } = this.instances.on(facts.host);
    return merged(facts, {
      instances,
      ioOps,
      failedBuilds: this.instances.failedBuilds(facts.host),
      aggregates: this.#hosts.aggregatesOf(facts.host),
      up: this.#liveness.isUp(facts.host),
      vcpus: this.#room(facts.computeNodeId, "VCPU"),
      memoryMib: this.#room(facts.computeNodeId, "MEMORY_MB"),
      diskGib: this.#room(facts.computeNodeId, "DISK_GB"),
    });
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
      this.#slots = new Bitset();
      this.#cellSlots.clear();
      this.#zoneSlots.clear();
      this.#hypervisors.clear();
    }
    for (const own of this.#own) if (own.revision <= batch.revision) this.#drop(own);
    for (const id of batch.deletedProviderIds) {
      this.#hostChanged(id, this.#hosts.all.get(id), undefined);
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
    const known = this.index.slotOf(provider.id) !== undefined;
    this.index.put(provider);
    if (!known) this.#hostChanged(provider.id, undefined, this.#hosts.all.get(provider.id));
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
    this.#hosts.replaceCell(cell, { services, nodes });
    if (instances !== undefined) this.instances.replaceCell(cell, instances);
  }

  applyChange(cell: string, change: CellChange): void {
    switch (change.kind) {
      case "instance":
        return this.instances.apply(cell, change.id, change.instance);
      case "node":
        return this.#hosts.setNode(cell, change.id, change.node);
      case "service":
        return this.#hosts.setService(cell, change.id, change.service);
    }
  }

  /** Replaces what is known of host aggregates. */
  applyAggregates(all: readonly AggregateFacts[]): void {
    this.#hosts.replaceAggregates(all);
  }

  /** Forgets a cell that is gone or disabled. */
  dropCell(cell: string): void {
    this.applySnapshot(cell, { services: [], nodes: [], instances: [] });
  }
}

export type { InstanceState };
