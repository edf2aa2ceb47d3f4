import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { PowerState } from "../../gen/kilonova/type/v1/server.js";
import { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { AgentServiceDefinition } from "../../gen/kilonova/compute/v1/agent_service.js";
import { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";
import { SchedulerServiceDefinition } from "../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { fakeCinder } from "../../pkg/clients/cinder/testing/fake-cinder.js";
import type { Cinder } from "../../pkg/clients/cinder/ports.js";
import { fakeGlance } from "../../pkg/clients/glance/testing/fake-glance.js";
import type { Glance } from "../../pkg/clients/glance/ports.js";
import type { Neutron } from "../../pkg/clients/neutron/ports.js";
import { buildCells, cellMigrations, cellsConfig, globalMigrations } from "../../pkg/cells/index.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { computeConfig } from "../../pkg/compute/index.js";
import { vendorData, vendordataConfig } from "../../pkg/compute/vendordata/index.js";
import { buildAgent } from "../../pkg/compute/wire.js";
import { buildConductor, conductorConfig } from "../../pkg/conductor/index.js";
import type { ConductorService } from "../../pkg/conductor/index.js";
import type { CrashPoints } from "../../pkg/conductor/engine/crash-points.js";
import type { Ctx, Logger } from "../../pkg/kernel/index.js";
import { firstOf, rootCtx, serviceActor, silentLogger } from "../../pkg/kernel/index.js";
import { buildPlacement, placementConfig, placementMigrations } from "../../pkg/placement/index.js";
import { migrate, openDatabase, openPool } from "../../pkg/platform/db/index.js";
import type { DbMetrics, PoolOptions } from "../../pkg/platform/db/index.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { LocalNetwork } from "../../pkg/platform/rpc/index.js";
import type { Channel, Client } from "../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../pkg/platform/telemetry/index.js";
import { buildScheduler, schedulerConfig } from "../../pkg/scheduler/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { tapped, tappedChannel } from "./tap.js";
import type { Tap } from "./tap.js";

/** Schemas of one installation. */
export interface Schemas {
  readonly global: string;
  readonly cell0: string;
  readonly cell1: string;
  readonly placement: string;
}

export const schemasOf = (prefix: string): Schemas => ({
  global: `${prefix}_global`,
  cell0: `${prefix}_cell0`,
  cell1: `${prefix}_cell1`,
  placement: `${prefix}_placement`,
});

/** Makes the schemas of an installation. */
export async function migrateCloud(connection: PoolOptions, schemas: Schemas): Promise<void> {
  const pool = openPool(connection);
  await migrate(testCtx(), pool, schemas.global, globalMigrations);
  await migrate(testCtx(), pool, schemas.cell0, cellMigrations);
  await migrate(testCtx(), pool, schemas.cell1, cellMigrations);
  await migrate(testCtx(), pool, schemas.placement, placementMigrations);
  await pool.close();
}

export interface CloudOptions {
  readonly connection: PoolOptions;
  readonly schemas: Schemas;
  /** Keeps guests and journals. */
  readonly folder: string;
  readonly hosts: readonly string[];
  readonly neutron: Neutron;
  /** Volumes in memory unless given. */
  readonly cinder?: Cinder;
  /** Images in memory unless given. */
  readonly glance?: Glance;
  readonly crash?: CrashPoints;
  readonly owner?: string;
  readonly conductor?: Partial<typeof conductorConfig._zod.output>;
  readonly cells?: Partial<typeof cellsConfig._zod.output>;
  readonly log?: Logger;
  readonly dbMetrics?: DbMetrics;
  /** Stands between the conductor and everything that it calls. */
  readonly tap?: Tap;
}

/**
 * Everything from acceptance to the hypervisor in one process: the real services, fake drivers on the hosts.
 */
export interface Cloud {
  readonly stores: readonly Store[];
  readonly global: Client<GlobalServiceDefinition>;
  readonly instances: Client<InstancesServiceDefinition>;
  readonly operations: Client<OperationStoreServiceDefinition>;
  readonly hosts: Client<HostsServiceDefinition>;
  readonly placement: Client<PlacementServiceDefinition>;
  readonly conductor: ConductorService;
  /** As an operator: to script fake drivers; as the conductor: to inspect. */
  agent(host: string, as: "operator" | "conductor"): Client<typeof AgentServiceDefinition>;
  /** A channel as one of the services, to any of them. */
  channel(as: string, address: string, host?: string): Channel;
  /**
   * Ends a host's agent as it stands, whatever its commands are at, and starts another one in its place.
   * @param meanwhile  what happens to the host in between; its state is in the given folder
   */
  restartAgent(
    host: string,
    meanwhile?: (stateDir: string) => Promise<void>,
    config?: Partial<typeof computeConfig._zod.output>,
  ): Promise<void>;
  /** Says something of a guest as its host's agent. */
  reportGuest(host: string, serverId: string, powerState: PowerState): Promise<void>;
  close(): Promise<void>;
}

export async function openCloud(options: CloudOptions): Promise<Cloud> {
  const { connection, schemas, folder, hosts, neutron, log = silentLogger } = options;
  const glance = options.glance ?? fakeGlance();
  const cinder = options.cinder ?? fakeCinder();
  const pool = openPool({ ...connection, max: 12 });
  const network = new LocalNetwork({ log, tracer: noTracer, metrics: new Metrics() });
  const stop = new AbortController();
  const background = (service: string, host = "", signal = stop.signal): Ctx =>
    rootCtx({ requestId: `req-${service}`, actor: serviceActor(service, host), signal, log });
  const tasks: Promise<unknown>[] = [];
  const run = (work: Promise<unknown>): void => {
    tasks.push(
      work.catch((error: unknown) => {
        if (!stop.signal.aborted) log.error("cloud.task.failed", { error });
      }),
    );
  };
  const connect = (as: string) => (address: string) => network.connect(address, { service: as, host: "" });
  const conductors = (address: string): Channel =>
    options.tap === undefined
      ? connect("conductor")(address)
      : tappedChannel(connect("conductor")(address), options.tap);
  const alive = new Set<string>();
  const metrics = options.dbMetrics === undefined ? {} : { metrics: options.dbMetrics };

  const placement = buildPlacement({
    database: openDatabase(pool, { schema: schemas.placement, ...metrics }),
    clock: systemClock,
    ids: systemIds,
    log,
    config: placementConfig.parse({}),
  });
  network.listen("placement", placement.bindings);
  const cells = buildCells({
    global: openDatabase(pool, { schema: schemas.global, ...metrics }),
    cells: [
      {
        name: "cell0",
        uuid: "00000000-0000-0000-0000-000000000000",
        database: openDatabase(pool, { schema: schemas.cell0, ...metrics }),
      },
      {
        name: "cell1",
        uuid: "00000000-0000-4000-8000-000000000001",
        database: openDatabase(pool, { schema: schemas.cell1, ...metrics }),
      },
    ],
    clock: systemClock,
    ids: systemIds,
    log,
    config: cellsConfig.parse({
      maxInstances: 1_000,
      maxCores: -1,
      maxRamMib: -1,
      maxServerGroupMembers: 1_000,
      shelvedOffloadS: -1,
      ...options.cells,
    }),
    secretKeys: [{ id: "test", key: Buffer.alloc(32, 7) }],
    waker: { wake: (_ctx, database, name) => conductor.wake(database, name) },
    placement: connect("cells")("placement").client(PlacementServiceDefinition),
    liveness: { isAlive: (_binary, host) => alive.has(host) },
    sequencerOwner: "test",
  });
  network.listen("cells", cells.bindings);
  run(cells.start(background("cells")));
  const scheduler = buildScheduler({
    placement: connect("scheduler")("placement"),
    cells: connect("scheduler")("cells"),
    clock: systemClock,
    config: schedulerConfig.parse({}),
    liveness: { isUp: (host) => alive.has(host), settled: () => true },
  });
  network.listen("scheduler", scheduler.bindings);
  const stateDirOf = (host: string): string => join(folder, host);
  const openAgent = async (host: string, config: Partial<typeof computeConfig._zod.output> = {}) => {
    const stateDir = stateDirOf(host);
    mkdirSync(stateDir, { recursive: true });
    const end = new AbortController();
    const ctx = background("compute", host, firstOf([stop.signal, end.signal]).signal);
    const agent = await buildAgent({
      config: computeConfig.parse({ driver: "fake", auditIntervalMs: 3_600_000, ...config }),
      host,
      address: `agent:${host}`,
      stateDir,
      share: 1,
      guestSeed: Buffer.alloc(32),
      cells: network.connect("cells", { service: "compute", host, cell: "cell1" }),
      agents: (_to, address) => network.connect(address, { service: "compute", host, cell: "cell1" }),
      glance,
      neutron,
      vendorData: vendorData(vendordataConfig.parse({}), undefined),
      log,
      metrics: new Metrics(),
      registry: {
        announce: async () => {
          alive.add(host);
        },
        watchPeers: () => {},
      },
      task: (_name, work) => run(work(ctx)),
    });
    const door = network.listen(`agent:${host}`, agent.bindings);
    return {
      start: () => agent.start(ctx),
      close: async () => {
        end.abort();
        door.close();
        await agent.close();
      },
    };
  };
  const agents = new Map(
    await Promise.all(hosts.map(async (host) => [host, await openAgent(host)] as const)),
  );
  // Where nobody is killed nobody is to take over, however long the machine stands still.
  const ownershipMs = options.crash === undefined ? 60_000 : 500;
  const conductor: ConductorService = buildConductor({
    cells: conductors("cells"),
    scheduler: conductors("scheduler"),
    placement: conductors("placement"),
    neutron: options.tap === undefined ? neutron : tapped(neutron, options.tap),
    cinder: options.tap === undefined ? cinder : tapped(cinder, options.tap),
    glance: options.tap === undefined ? glance : tapped(glance, options.tap),
    connectAgent: (_host, address) => conductors(address),
    owner: options.owner ?? `conductor-${process.pid}`,
    clock: systemClock,
    log,
    config: conductorConfig.parse({ pollMs: 50, ownershipMs, dormantMs: 200, ...options.conductor }),
    ...(options.crash === undefined ? {} : { crash: options.crash }),
  });
  const stores = [
    openStore("global", openDatabase(pool, { schema: schemas.global })),
    openStore("cell0", openDatabase(pool, { schema: schemas.cell0 })),
    openStore("cell1", openDatabase(pool, { schema: schemas.cell1 })),
  ];
  const api = connect("api")("cells");
  const cloud: Cloud = {
    stores,
    conductor,
    global: api.client(GlobalServiceDefinition),
    instances: api.client(InstancesServiceDefinition),
    operations: connect("operator")("cells").client(OperationStoreServiceDefinition),
    hosts: api.client(HostsServiceDefinition),
    placement: connect("operator")("placement").client(PlacementServiceDefinition),
    agent: (host, as) =>
      network.connect(`agent:${host}`, { service: as, host: "" }).client(AgentServiceDefinition),
    channel: (as, address, host = "") => network.connect(address, { service: as, host, cell: "cell1" }),
    restartAgent: async (host, meanwhile = async () => {}, config = {}) => {
      await agents.get(host)?.close();
      await meanwhile(stateDirOf(host));
      const next = await openAgent(host, config);
      agents.set(host, next);
      await next.start();
    },
    reportGuest: async (host, serverId, powerState) => {
      await network
        .connect("cells", { service: "compute", host, cell: "cell1" })
        .client(HostsServiceDefinition)
        .reportGuest(testCtx(), {
          cell: "cell1",
          host,
          serverId,
          powerState,
          byGuest: true,
          reportNumber: BigInt(Date.now()) * 10_000n,
        });
    },
    close: async () => {
      stop.abort();
      await Promise.all(tasks);
      await Promise.all([...agents.values()].map((agent) => agent.close()));
      await Promise.all([scheduler.close(), cells.close(), conductor.close()]);
      await pool.close();
    },
  };
  await until(() => registered(cloud), { timeoutMs: 60_000, what: "the cells to be registered" });
  run(scheduler.start(background("scheduler")));
  await Promise.all([...agents.values()].map((agent) => agent.start()));
  const explain = connect("operator")("scheduler").client(SchedulerServiceDefinition);
  await until(
    async () =>
      (await explain.explain(testCtx(), { spec: { flavor: { vcpus: 1, memoryMib: 1 } } })).explanation
        ?.hostsConsidered === hosts.length,
    { timeoutMs: 60_000, what: "the scheduler to know all hosts" },
  );
  run(conductor.start(background("conductor")));
  return cloud;
}

const registered = async ({ global }: Cloud): Promise<boolean> =>
  (await global.listCells(testCtx(), {})).cells.length === 2;
