import { randomUUID } from "node:crypto";
import { FeedServiceDefinition } from "../../../gen/kilonova/cells/v1/feed_service.js";
import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import { AggregateStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/aggregates_service.js";
import { ServerGroupStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/server_groups_service.js";
import {
  ComputeNode,
  HostService,
  HostsServiceDefinition,
} from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { InstancesServiceDefinition } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { SyncProviderTreeRequest } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { buildCells, cellMigrations, cellsConfig, globalMigrations } from "../../../pkg/cells/index.js";
import { openStore } from "../../../pkg/cells/store/tables.js";
import { silentLogger } from "../../../pkg/kernel/index.js";
import { systemClock } from "../../../pkg/platform/process/clock.js";
import { systemIds } from "../../../pkg/platform/process/ids.js";
import { LocalNetwork } from "../../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../../pkg/platform/telemetry/index.js";
import type { OperationCatalogue } from "../../../pkg/model/operation-catalogue.js";
import { testCtx } from "../../../pkg/testkit/ctx.js";
import { testDatabase } from "../../../pkg/testkit/postgres.js";

/** A cells service of one cell over fresh databases, with what it asks of others recorded. */
export async function startCellsService(
  limits: Partial<Parameters<typeof cellsConfig.parse>[0] & object> = {},
  operations?: OperationCatalogue,
) {
  const [global, cell] = await Promise.all([testDatabase(globalMigrations), testDatabase(cellMigrations)]);
  const synced: SyncProviderTreeRequest[] = [];
  const alive = new Set<string>();
  const stop = new AbortController();
  const cells = buildCells({
    global: global.open(),
    cells: [{ name: "cell1", uuid: randomUUID(), database: cell.open() }],
    clock: systemClock,
    ids: systemIds,
    log: silentLogger,
    config: cellsConfig.parse(limits),
    secretKeys: [{ id: "k", key: Buffer.alloc(32, 1) }],
    waker: { wake: () => {} },
    liveness: { isAlive: (_binary, host) => alive.has(host) },
    sequencerOwner: "test",
    ...(operations === undefined ? {} : { operations }),
    placement: {
      syncProviderTree: async (_ctx, request) => {
        synced.push(request as SyncProviderTreeRequest);
        return { root: undefined };
      },
      deleteProvider: async () => ({}),
    },
  });
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  network.listen("cells", cells.bindings);
  const running = cells.start(testCtx({ signal: stop.signal, deadlineMs: Date.now() + 600_000 }));
  const as = (peer: string, host = "", cell = "cell1") =>
    network.connect("cells", { service: peer, host, cell });
  const api = as("api");
  return {
    store: openStore("cell1", cell.open()),
    globalStore: openStore("global", global.open()),
    synced,
    alive,
    as,
    global: api.client(GlobalServiceDefinition),
    instances: api.client(InstancesServiceDefinition),
    hosts: api.client(HostsServiceDefinition),
    feed: api.client(FeedServiceDefinition),
    groups: api.client(ServerGroupStoreServiceDefinition),
    aggregates: api.client(AggregateStoreServiceDefinition),
    close: async () => {
      stop.abort();
      await running;
    },
  };
}
export type CellsUnderTest = Awaited<ReturnType<typeof startCellsService>>;

/** An agent registers its host. */
export const registerAgent = (
  s: CellsUnderTest,
  host: string,
  epoch = 0n,
  traits: string[] = ["HW_CPU_X86_VMX"],
) =>
  s
    .as("compute", host)
    .client(HostsServiceDefinition)
    .registerHost(testCtx(), {
      cell: "cell1",
      epoch,
      service: HostService.fromPartial({
        binary: "nova-compute",
        host,
        availabilityZone: "nova",
        address: `agent:${host}`,
      }),
      node: ComputeNode.fromPartial({
        hypervisorHostname: host,
        vcpus: 8,
        memoryMib: 1024n,
        diskGib: 10n,
        cpuAllocationRatio: 4,
        memoryAllocationRatio: 1,
        diskAllocationRatio: 1,
        traits,
      }),
    });
