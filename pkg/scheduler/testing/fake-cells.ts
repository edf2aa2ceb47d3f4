import { Aggregate } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import { AggregateStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/aggregates_service.js";
import {
  FeedEntry,
  FeedServiceDefinition,
  GetFeedHeadResponse,
  WatchFeedResponse,
} from "../../../gen/kilonova/cells/v1/feed_service.js";
import { GlobalServiceDefinition, ListCellsResponse } from "../../../gen/kilonova/cells/v1/global_service.js";
import {
  ComputeNode,
  HostService,
  HostsServiceDefinition,
  ListHostsResponse,
} from "../../../gen/kilonova/cells/v1/hosts_service.js";
import {
  InstancesServiceDefinition,
  ListInstancesResponse,
} from "../../../gen/kilonova/cells/v1/instances_service.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { CommonErrors } from "../../kernel/errors.js";
import { bindService } from "../../platform/rpc/index.js";
import type { Handlers, ServiceBinding, ServiceDefinition } from "../../platform/rpc/index.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

type Partials<T> = T extends { fromPartial(partial: infer P): unknown } ? P : never;

/** A cells service in memory: one cell per name, with a feed that tells of every change. */
export interface FakeCells {
  readonly bindings: readonly ServiceBinding[];
  addHost(
    cell: string,
    id: string,
    host: string,
    more?: { readonly service?: Partials<typeof HostService>; readonly node?: Partials<typeof ComputeNode> },
  ): void;
  changeService(cell: string, host: string, change: Partials<typeof HostService>): void;
  /** Replaces all aggregates. */
  setAggregates(aggregates: readonly Partials<typeof Aggregate>[]): void;
  putInstance(cell: string, server: Partials<typeof Server>): void;
}

interface FakeCell {
  readonly services: Map<string, HostService>;
  readonly nodes: Map<string, ComputeNode>;
  readonly servers: Map<string, Server>;
  readonly feed: FeedEntry[];
}

export function fakeCells(names: readonly string[]): FakeCells {
  const cells = new Map(
    ["global", ...names].map((name): [string, FakeCell] => [
      name,
      { services: new Map(), nodes: new Map(), servers: new Map(), feed: [] },
    ]),
  );
  const waiting = new Set<() => void>();
  const cellOf = (name: string): FakeCell => {
    const cell = cells.get(name);
    if (cell === undefined) throw CommonErrors.UNAVAILABLE({ what: name });
    return cell;
  };
  const tell = (cell: FakeCell, entityKind: string, entityId: string, payload: Uint8Array): void => {
    cell.feed.push(
      FeedEntry.fromPartial({
        revision: BigInt(cell.feed.length + 1),
        entityKind,
        entityId,
        eventType: "changed",
        payload: Buffer.from(payload),
      }),
    );
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const putService = (cell: FakeCell, service: HostService): void => {
    cell.services.set(service.host, service);
    tell(cell, "service", service.id, HostService.encode(service).finish());
  };
  let aggregates: Aggregate[] = [];
  return {
    bindings: [
      bindService(
        AggregateStoreServiceDefinition,
        only(AggregateStoreServiceDefinition, {
          listStoredAggregates: async () => ({ aggregates, nextPageToken: "" }),
        }),
      ),
      bindService(
        GlobalServiceDefinition,
        only(GlobalServiceDefinition, {
          listCells: async () =>
            ListCellsResponse.fromPartial({ cells: [{ name: "cell0" }, ...names.map((name) => ({ name }))] }),
        }),
      ),
      bindService(
        HostsServiceDefinition,
        only(HostsServiceDefinition, {
          listHosts: async (_ctx, { cell }) =>
            ListHostsResponse.fromPartial({
              services: [...cellOf(cell).services.values()],
              nodes: [...cellOf(cell).nodes.values()],
            }),
        }),
      ),
      bindService(
        InstancesServiceDefinition,
        only(InstancesServiceDefinition, {
          listInstances: async (_ctx, { database, pageSize, after }) => {
            const ids = [...cellOf(database).servers.keys()].sort().filter((id) => id > (after[0] ?? ""));
            const rows = ids.slice(0, pageSize).map((id) => ({
              sortValues: [id],
              serverId: id,
              server: Buffer.from(
                Server.encode(cellOf(database).servers.get(id) ?? Server.fromPartial({})).finish(),
              ),
            }));
            return ListInstancesResponse.fromPartial({ rows, more: ids.length > pageSize });
          },
        }),
      ),
      bindService(
        FeedServiceDefinition,
        only(FeedServiceDefinition, {
          getFeedHead: async (_ctx, { database }) =>
            GetFeedHeadResponse.fromPartial({
              incarnation: "one",
              revision: BigInt(cellOf(database).feed.length),
              expectedRevision: BigInt(cellOf(database).feed.length),
            }),
          watchFeed: async function* (ctx, { database, afterRevision }) {
            for (let at = Number(afterRevision); ;) {
              const entries = cellOf(database).feed.slice(at);
              at += entries.length;
              yield WatchFeedResponse.fromPartial({ entries, revision: BigInt(at), incarnation: "one" });
              await new Promise<void>((resolve, reject) => {
                waiting.add(resolve);
                ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason as Error), {
                  once: true,
                });
              });
            }
          },
        }),
      ),
    ],
    setAggregates: (all) => {
      aggregates = all.map((one) => Aggregate.fromPartial(one));
      tell(cellOf("global"), "aggregate", "any", new Uint8Array());
    },
    addHost: (name, id, host, more = {}) => {
      const cell = cellOf(name);
      const node = ComputeNode.fromPartial({
        id,
        host,
        hypervisorHostname: host,
        hypervisorType: "QEMU",
        hypervisorVersion: 7_002_000,
        supportedInstancesJson: `[["x86_64","qemu","hvm"]]`,
        cpuInfoJson: `{"arch":"x86_64","features":["sse","avx"]}`,
        ...more.node,
      });
      cell.nodes.set(id, node);
      tell(cell, "compute_node", id, ComputeNode.encode(node).finish());
      putService(
        cell,
        HostService.fromPartial({
          id: `service-${host}`,
          binary: COMPUTE_BINARY,
          host,
          availabilityZone: "nova",
          address: `agent:${host}`,
          ...more.service,
        }),
      );
    },
    changeService: (name, host, change) => {
      const cell = cellOf(name);
      const before = cell.services.get(host);
      if (before === undefined) throw new Error(`no host ${host}`);
      putService(cell, HostService.fromPartial({ ...before, ...change }));
    },
    putInstance: (name, server) => {
      const cell = cellOf(name);
      const full = Server.fromPartial(server);
      cell.servers.set(full.id, full);
      tell(cell, "instance", full.id, Server.encode(full).finish());
    },
  };
}

/** Handlers of a service of which only some methods are served; the others answer as unimplemented. */
function only<D extends ServiceDefinition>(definition: D, served: Partial<Handlers<D>>): Handlers<D> {
  const missing = Object.fromEntries(
    Object.keys(definition.methods).map((name) => [
      name,
      () => Promise.reject(CommonErrors.UNIMPLEMENTED({ what: name })),
    ]),
  );
  return { ...missing, ...served } as unknown as Handlers<D>;
}
