import { GLOBAL } from "../model/database-names.js";
import { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { ServerGroupStoreServiceDefinition } from "../../gen/kilonova/cells/v1/server_groups_service.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { ConductorServiceDefinition } from "../../gen/kilonova/conductor/v1/conductor_service.js";
import { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";
import { SchedulerServiceDefinition } from "../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { Cinder } from "../clients/cinder/ports.js";
import type { Neutron } from "../clients/neutron/ports.js";
import type { Ctx } from "../kernel/ctx.js";
import type { Logger } from "../kernel/logger.js";
import type { Clock } from "../kernel/time.js";
import { whenAborted } from "../kernel/signals.js";
import { bindService } from "../platform/rpc/index.js";
import type { Channel, ServiceBinding } from "../platform/rpc/index.js";
import { agentsOf } from "./adapters/agents.js";
import { networkFacts } from "./adapters/network-facts.js";
import { conductorHandlers } from "./adapters/service.js";
import type { ConductorConfig } from "./config.js";
import { Conductor } from "./engine/conductor.js";
import type { StartSpan } from "./engine/conductor.js";
import { noCrash } from "./engine/crash-points.js";
import type { CrashPoints } from "./engine/crash-points.js";
import { engineDefaults } from "./engine/defaults.js";
import type { OperationKind } from "./engine/kind.js";
import { Registry } from "./engine/registry.js";
import { kindFactories } from "./ops/index.gen.js";
import type { Ports } from "./ports.js";

export interface ConductorDeps {
  /** Channels opened as `conductor`. */
  readonly cells: Channel;
  readonly scheduler: Channel;
  readonly placement: Channel;
  readonly neutron: Neutron;
  readonly cinder: Cinder;
  readonly glance: Ports["images"];
  /** Opens a channel to the agent of a host at the address that it registered. */
  readonly connectAgent: (host: string, address: string) => Channel;
  /** Unique per start of the process. */
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: ConductorConfig;
  /** Opens the span of an operation's run below the request that started it; no tracing without it. */
  readonly startSpan?: StartSpan;
  /** Only test entries give one. */
  readonly crash?: CrashPoints;
}

export interface ConductorService {
  readonly bindings: readonly ServiceBinding[];
  /** What it can run. */
  readonly kinds: readonly OperationKind[];
  /** Hints in the same process need no RPC. */
  wake(database: string, operation: string): void;
  /** Looks for work until the context ends, then lets running steps end and gives the rest back. */
  start(ctx: Ctx): Promise<void>;
  close(): Promise<void>;
}

/** Builds a conductor. */
export function buildConductor(deps: ConductorDeps): ConductorService {
  const { cells, clock, config, log } = deps;
  const global = cells.client(GlobalServiceDefinition);
  const store = cells.client(OperationStoreServiceDefinition);
  const agents = agentsOf(cells.client(HostsServiceDefinition), deps.connectAgent, clock);
  const placement = deps.placement.client(PlacementServiceDefinition);
  const records = cells.client(ServerRecordsServiceDefinition);
  const ports: Ports = {
    scheduler: deps.scheduler.client(SchedulerServiceDefinition),
    placement,
    moves: placement,
    holdings: global,
    instances: cells.client(InstancesServiceDefinition),
    clock,
    groups: cells.client(ServerGroupStoreServiceDefinition),
    operations: store,
    children: store,
    lanes: store,
    neutron: deps.neutron,
    cinder: deps.cinder,
    records,
    migrations: records,
    images: deps.glance,
    agents,
    addresses: agents.addresses,
    agentWaitMs: config.agentWaitMs,
    softTimeoutMs: config.shutdownTimeoutMs,
  };
  const kinds = kindFactories.map((factory) =>
    factory({
      ports,
      factsOf: networkFacts(deps.neutron, clock),
      maxAttempts: config.maxAttempts,
      maxDiskDevices: config.maxDiskDevices,
      precacheConcurrency: config.precacheConcurrency,
      reimageMsPerGib: config.reimageMsPerGib,
    }),
  );
  const registry = new Registry(kinds);
  const conductor = new Conductor({
    ...engineDefaults,
    registry,
    ...(deps.startSpan ? { startSpan: deps.startSpan } : {}),
    store,
    clock,
    log,
    crash: deps.crash ?? noCrash,
    owner: deps.owner,
    concurrency: config.maxOperations,
    ownershipMs: config.ownershipMs,
    pollMs: config.pollMs,
    dormantMs: config.dormantMs,
    unclaimedMs: config.unclaimedMs,
    databases: databasesOf(
      async (ctx) => (await global.listCells(ctx, {})).cells.map(({ name }) => name),
      clock,
    ),
  });
  return {
    bindings: [bindService(ConductorServiceDefinition, conductorHandlers(conductor, registry))],
    kinds,
    wake: (database, operation) => conductor.wake(database, operation),
    start: async (ctx) => {
      conductor.start();
      await new Promise<void>((resolve) => void whenAborted(ctx.signal, resolve));
      await conductor.stop(config.stopGraceMs);
    },
    close: async () => {
      await agents.close();
    },
  };
}

const CELLS_KEEP_MS = 10_000;

/** The databases that may hold operations; new cells are found within ten seconds. */
function databasesOf(
  listCells: (ctx: Ctx) => Promise<readonly string[]>,
  clock: Clock,
): (ctx: Ctx) => Promise<readonly string[]> {
  let known: { readonly atMs: number; readonly names: readonly string[] } | undefined;
  return async (ctx) => {
    const now = clock.monotonicMs();
    if (known === undefined || now - known.atMs >= CELLS_KEEP_MS) {
      const names = [GLOBAL, ...(await listCells(ctx))];
      if (names.length > 1) known = { atMs: now, names };
      return names;
    }
    return known.names;
  };
}
