import { merged } from "../../kernel/merged.js";
import { zonesOf } from "../../model/aggregate-zone.js";
import type { AggregateView, HostFacts } from "../domain/host-view.js";
import type { AggregateFacts, CellSnapshot, NodeFacts, ServiceFacts } from "../ports.js";

/** Names under which hosts are found. Those of `lowerHost` are in lower case. */
export type HostName = "host" | "lowerHost" | "node";

interface KnownNode {
  readonly cell: string;
  readonly node: NodeFacts;
}
interface KnownService {
  readonly id: string;
  readonly service: ServiceFacts;
}

const noIds: ReadonlySet<string> = new Set();
const noAggregates: readonly AggregateView[] = [];

/** Keys of a kind, each with the ids that have it; a key without ids is none. */
class Names {
  readonly #ids = new Map<string, Set<string>>();

  get(key: string): ReadonlySet<string> {
    return this.#ids.get(key) ?? noIds;
  }

  add(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids === undefined) this.#ids.set(key, new Set([id]));
    else ids.add(id);
  }

  delete(key: string, id: string): void {
    const ids = this.#ids.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#ids.delete(key);
  }
}

/**
 * Every host with a service and a hypervisor record, by compute node id, and by its names.
 *
 * @cost a change of one host touches that host alone; a snapshot of a cell, the hosts of that cell; a change
 *   of aggregates reads all of them and touches the hosts for which it makes a difference
 */
export class HostMap {
  /** Services by cell and host. */
  readonly #services = new Map<string, Map<string, KnownService>>();
  /** Hosts of services, by cell and id of the service: a removal names only that. */
  readonly #hostOfService = new Map<string, Map<string, string>>();
  readonly #nodes = new Map<string, KnownNode>();
  readonly #nodesOf = new Names();
  readonly #facts = new Map<string, HostFacts>();
  readonly #names: Readonly<Record<HostName, Names>> = {
    host: new Names(),
    lowerHost: new Names(),
    node: new Names(),
  };
  readonly #changed: (id: string, before: HostFacts | undefined, after: HostFacts | undefined) => void;
  #zones: ReadonlyMap<string, string> = new Map();
  #aggregates: ReadonlyMap<string, readonly AggregateView[]> = new Map();

  /** @param changed  called after each change of what is known of a host */
  constructor(
    changed: (id: string, before: HostFacts | undefined, after: HostFacts | undefined) => void = () => {},
  ) {
    this.#changed = changed;
  }

  /** The map itself: it goes on changing. */
  get all(): ReadonlyMap<string, HostFacts> {
    return this.#facts;
  }

  /** Ids of the hosts of that name. */
  named(kind: HostName, name: string): ReadonlySet<string> {
    return this.#names[kind].get(name);
  }

  aggregatesOf(host: string): readonly AggregateView[] {
    return this.#aggregates.get(host) ?? noAggregates;
  }

  setNode(cell: string, id: string, node: NodeFacts | undefined): void {
    const before = this.#nodes.get(id);
    if (before !== undefined) this.#nodesOf.delete(before.node.host, id);
    if (node === undefined) this.#nodes.delete(id);
    else {
      this.#nodes.set(id, { cell, node });
      this.#nodesOf.add(node.host, id);
    }
    this.#settle(id);
  }

  setService(cell: string, id: string, service: ServiceFacts | undefined): void {
    const services = within(this.#services, cell);
    const hosts = within(this.#hostOfService, cell);
    const host = service?.host ?? hosts.get(id);
    if (host === undefined) return;
    if (service === undefined) {
      services.delete(host);
      hosts.delete(id);
    } else {
      services.set(host, { id, service });
      hosts.set(id, host);
    }
    this.#settleHost(host);
  }

  /** Replaces what is known of a cell. */
  replaceCell(cell: string, { services, nodes }: Pick<CellSnapshot, "services" | "nodes">): void {
    const touched = new Set<string>();
    for (const [id, one] of this.#nodes) {
      if (one.cell !== cell) continue;
      this.#nodes.delete(id);
      this.#nodesOf.delete(one.node.host, id);
      touched.add(id);
    }
    this.#services.set(cell, new Map(services.map((one) => [one.service.host, one])));
    this.#hostOfService.set(cell, new Map(services.map(({ id, service }) => [id, service.host])));
    for (const { id, node } of nodes) {
      this.#nodes.set(id, { cell, node });
      this.#nodesOf.add(node.host, id);
      touched.add(id);
    }
    for (const id of touched) this.#settle(id);
  }

  /** Replaces what is known of host aggregates. */
  replaceAggregates(all: readonly AggregateFacts[]): void {
    const zones = zonesOf(all);
    const moved = [...new Set([...zones.keys(), ...this.#zones.keys()])].filter(
      (host) => zones.get(host) !== this.#zones.get(host),
    );
    const aggregates = new Map<string, AggregateView[]>();
    for (const { id, hosts, metadata } of all) {
      for (const host of hosts) {
        const mine = aggregates.get(host);
        if (mine === undefined) aggregates.set(host, [{ id, metadata }]);
        else mine.push({ id, metadata });
      }
    }
    this.#zones = zones;
    this.#aggregates = aggregates;
    for (const host of moved) this.#settleHost(host);
  }

  #settleHost(host: string): void {
    for (const id of [...this.#nodesOf.get(host)]) this.#settle(id);
  }

  /** Works out what is known of one host. */
  #settle(id: string): void {
    const before = this.#facts.get(id);
    const after = this.#factsOf(id);
    if (before === undefined && after === undefined) return;
    if (before !== undefined) this.#rename(before, "delete");
    if (after === undefined) this.#facts.delete(id);
    else {
      this.#facts.set(id, after);
      this.#rename(after, "add");
    }
    this.#changed(id, before, after);
  }

  #factsOf(id: string): HostFacts | undefined {
    const known = this.#nodes.get(id);
    if (known === undefined) return undefined;
    const { cell, node } = known;
    const service = this.#services.get(cell)?.get(node.host)?.service;
    if (service === undefined) return undefined;
    const availabilityZone = this.#zones.get(node.host) ?? service.availabilityZone;
    // Hosts of one shape: a decision copies dozens of them.
    return merged(merged(node, service), { cell, availabilityZone });
  }

  #rename({ host, node, computeNodeId }: HostFacts, how: "add" | "delete"): void {
    this.#names.host[how](host, computeNodeId);
    this.#names.lowerHost[how](host.toLowerCase(), computeNodeId);
    this.#names.node[how](node, computeNodeId);
  }
}

function within<V>(maps: Map<string, Map<string, V>>, cell: string): Map<string, V> {
  let map = maps.get(cell);
  if (map === undefined) maps.set(cell, (map = new Map()));
  return map;
}
