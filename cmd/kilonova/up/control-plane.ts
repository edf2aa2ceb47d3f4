import { hkdfSync } from "node:crypto";
import { buildApi } from "../../../pkg/api/index.js";
import { buildCells, listSlots } from "../../../pkg/cells/index.js";
import type { CellSource, ListConnections, Waker } from "../../../pkg/cells/index.js";
import { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { OperationStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { ConductorServiceDefinition } from "../../../gen/kilonova/conductor/v1/conductor_service.js";
import { PlacementServiceDefinition } from "../../../gen/kilonova/placement/v1/placement_service.js";
import { buildConductor } from "../../../pkg/conductor/index.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { buildPlacement } from "../../../pkg/placement/index.js";
import type { PlacementTables } from "../../../pkg/placement/index.js";
import type { DbPool } from "../../../pkg/platform/db/index.js";
import { openDatabase } from "../../../pkg/platform/db/index.js";
import type { FeedTables } from "../../../pkg/platform/db/feed/index.js";
import { systemClock, systemIds } from "../../../pkg/platform/process/index.js";
import type { Channel, ServiceBinding } from "../../../pkg/platform/rpc/index.js";
import { buildScheduler } from "../../../pkg/scheduler/index.js";
import { machine } from "./machine.js";
import type { Runtime } from "./runtime.js";
import { schemas } from "./storage.js";
import { COMPUTE_BINARY } from "../../../pkg/model/service-names.js";
import { CELL0, GLOBAL } from "../../../pkg/model/database-names.js";

/** The embedded cells: cell0 for servers that never got a host, and one with all hosts. */
const cells = [
  { name: CELL0, uuid: "00000000-0000-0000-0000-000000000000", schema: schemas.cell0 },
  { name: "cell1", uuid: "00000000-0000-4000-8000-000000000001", schema: schemas.cell1 },
] as const;

/** Nobody else writes into the embedded databases: looking there is for what nobody thought of. */
const ALONE_POLL_MS = 2_000;

/** What a service of this process looks like to the rest of it. */
interface Service {
  readonly bindings: readonly ServiceBinding[];
  start(ctx: Ctx): Promise<void> | void;
  close(): Promise<void>;
}

/** Starts what keeps records and chooses hosts: placement, cells, scheduler. Agents need no more. */
export async function startRecords(runtime: Runtime): Promise<void> {
  const { pool, listPool } = runtime;
  if (!pool || !listPool) throw new Error("the database is not up");
  const as = connectAs(runtime);
  await run(runtime, "placement", () =>
    buildPlacement({
      database: openDatabase<PlacementTables>(pool, { schema: schemas.placement, clock: systemClock }),
      clock: systemClock,
      ids: systemIds,
      log: runtime.log,
      config: runtime.config.placement,
    }),
  );
  await run(runtime, "cells", () => cellsOf(runtime, { pool, listPool }, as("cells")));
  await run(runtime, "scheduler", () => schedulerOf(runtime, as("scheduler")));
}

/**
 * Starts what acts on hosts, once they are there: what a killed predecessor was driving goes on as if nobody
 * had been away.
 */
export async function startDrivers(ctx: Ctx, runtime: Runtime): Promise<void> {
  const as = connectAs(runtime);
  await releaseAbandoned(ctx, as("conductor")("cells"));
  await run(runtime, "conductor", () => conductorOf(runtime, as("conductor")));
  await run(runtime, "api", () => apiOf(runtime, as("api")));
  await announceServices(ctx, runtime);
}

const connectAs =
  ({ network }: Runtime) =>
  (service: string) =>
  (address: string): Channel =>
    network.connect(address, { service, host: "" });

/** Serves a service under its name and runs what it does in the background. */
async function run(runtime: Runtime, name: string, build: () => Service): Promise<void> {
  const { lifecycle, network, tasks, bindings } = runtime;
  await lifecycle.start(name, async () => {
    const service = build();
    bindings.set(name, service.bindings);
    const listening = network.listen(name, service.bindings);
    tasks.task(name, async (ctx) => {
      await service.start(ctx);
    });
    return {
      value: service,
      stop: async () => {
        listening.close();
        await service.close();
      },
    };
  });
}

function cellsOf(
  { config, secrets, log, directory }: Runtime,
  { pool, listPool }: { readonly pool: DbPool; readonly listPool: DbPool },
  connect: (address: string) => Channel,
): Service {
  const open = (on: DbPool, schema: string): CellSource["database"] =>
    openDatabase<FeedTables>(on, { schema, clock: systemClock });
  const slots = listSlots(config.cells);
  const source = (schema: string): Pick<CellSource, "database"> & { readonly lists: ListConnections } => ({
    database: open(pool, schema),
    lists: { database: open(listPool, schema), slots },
  });
  const global = source(schemas.global);
  const conductor = connect("conductor").client(ConductorServiceDefinition);
  const waker: Waker = {
    wake: (ctx, database_, name) => {
      // A hint: it outlives the request that gave it, but not for long.
      conductor
        .wakeOperation(
          { ...ctx, signal: new AbortController().signal, deadlineMs: Date.now() + 1_000 },
          { database: database_, name },
        )
        .catch((error: unknown) => ctx.log.debug("wake.lost", { name, error }));
    },
  };
  return buildCells({
    global: global.database,
    globalLists: global.lists,
    cells: cells.map(({ name, uuid, schema }) => ({ name, uuid, ...source(schema) })),
    clock: systemClock,
    ids: systemIds,
    log,
    config: config.cells,
    waker,
    secretKeys: [{ id: "1", key: Buffer.from(secrets.encryptionKey, "base64") }],
    placement: connect("placement").client(PlacementServiceDefinition),
    // The other services of the embedded cloud live and die with this process.
    liveness: {
      isAlive: (binary, host) =>
        binary === COMPUTE_BINARY ? directory?.isUp(host) === true : host === machine,
    },
    sequencerOwner: "embedded",
    feedPollMs: ALONE_POLL_MS,
  });
}

/** Name of this installation's only conductor: the state directory's lock keeps a second one away. */
const CONDUCTOR = "embedded";

/** What a killed predecessor was driving goes on now, not when its ownership would have run out. */
async function releaseAbandoned(ctx: Ctx, channel: Channel): Promise<void> {
  const store = channel.client(OperationStoreServiceDefinition);
  await Promise.all(
    [GLOBAL, ...cells.map(({ name }) => name)].map((database) =>
      store.releaseOperations(ctx, { database, owner: CONDUCTOR }),
    ),
  );
}

function schedulerOf({ config, directory }: Runtime, connect: (address: string) => Channel): Service {
  if (!directory) throw new Error("the registry is not open");
  return buildScheduler({
    placement: connect("placement"),
    cells: connect("cells"),
    clock: systemClock,
    config: config.scheduler,
    liveness: directory,
  });
}

function conductorOf(
  { config, clients, log, tracer }: Runtime,
  connect: (address: string) => Channel,
): Service {
  if (!clients) throw new Error("the clients are not open");
  return buildConductor({
    cells: connect("cells"),
    scheduler: connect("scheduler"),
    placement: connect("placement"),
    connectAgent: (_host, address) => connect(address),
    neutron: clients.neutron,
    cinder: clients.cinder,
    glance: clients.glance,
    clock: systemClock,
    log,
    config: config.conductor,
    owner: CONDUCTOR,
    startSpan: (name, traceparent, attributes) => tracer.start(name, traceparent, attributes, "internal"),
  });
}

/** Of the installation's one secret: tokens outlive a restart, and their key opens nothing else. */
const tokenKeyOf = (encryptionKey: string): Buffer =>
  Buffer.from(hkdfSync("sha256", Buffer.from(encryptionKey, "base64"), "", "kilonova token key", 32));

function apiOf(
  { config, secrets, clients, policy, options: { ports } }: Runtime,
  connect: (address: string) => Channel,
): Service {
  if (!clients) throw new Error("the clients are not open");
  return buildApi({
    config: {
      ...config.api,
      novncBaseUrl: config.api.novncBaseUrl || `http://127.0.0.1:${ports.console}/vnc_auto.html`,
      serialBaseUrl: config.api.serialBaseUrl || `ws://127.0.0.1:${ports.console}/`,
    },
    policy,
    clock: systemClock,
    ids: systemIds,
    tokenKeys: [{ id: "1", key: tokenKeyOf(secrets.encryptionKey) }],
    cells: connect("cells"),
    scheduler: connect("scheduler"),
    agent: (address) => connect(address),
    glance: clients.glance,
    neutron: clients.neutron,
    cinder: clients.cinder,
    keystone: clients.keystone,
  });
}

/** Lets operators see conductor and scheduler in the list of services. */
async function announceServices(ctx: Ctx, { network }: Runtime): Promise<void> {
  await Promise.all(
    (["conductor", "scheduler"] as const).map(async (service) => {
      const hosts = network.connect("cells", { service, host: "" }).client(HostsServiceDefinition);
      await hosts.registerService(ctx, {
        cell: schemas.cell1,
        service: { binary: `nova-${service}`, host: machine, availabilityZone: "internal", address: service },
      });
    }),
  );
}
