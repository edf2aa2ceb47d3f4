import { join } from "node:path";
import { Listr } from "listr2";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { KilonovaError, rootCtx, serviceActor } from "../../../pkg/kernel/index.js";
import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import { loadConfig } from "../../../pkg/platform/config/index.js";
import type { DbPool, PoolOptions } from "../../../pkg/platform/db/index.js";
import { dbMetrics, openPool } from "../../../pkg/platform/db/index.js";
import { descriptorsLacking, warnOfFewDescriptors } from "../../../pkg/platform/http/index.js";
import { createLogger } from "../../../pkg/platform/log/index.js";
import { openFileDestination } from "../../../pkg/platform/log/file.js";
import { startPostgres } from "../../../pkg/platform/postgres/index.js";
import type { Lifecycle } from "../../../pkg/platform/process/index.js";
import {
  closeInherited,
  createLifecycle,
  createTasks,
  onSignals,
  onStrayErrors,
  systemIds,
} from "../../../pkg/platform/process/index.js";
import { LocalNetwork, defaultPublicLimits } from "../../../pkg/platform/rpc/index.js";
import { Sharing } from "../../../pkg/platform/sharing/index.js";
import { Readiness, startStatusServer } from "../../../pkg/platform/service/index.js";
import { Metrics, logBounds, openTracer } from "../../../pkg/platform/telemetry/index.js";
import { openPolicy } from "../../shared/policy-file.js";
import { readyText } from "./announce.js";
import { identityOf, openClients } from "./clients.js";
import { openCoordination } from "./coordination.js";
import { otherVariables, sections } from "./config.js";
import type { KilonovaConfig } from "./config.js";
import { startDrivers, startRecords } from "./control-plane.js";
import { writeCredentials } from "./credential-files.js";
import { seedFlavors } from "./demo-cloud.js";
import { openEdges } from "./edges.js";
import { demoImage } from "./guest-image.js";
import type { DemoImage } from "./guest-image.js";
import { openHome } from "./home.js";
import { startHosts } from "./hosts.js";
import type { UpOptions } from "./options.js";
import { UpErrors } from "./options.js";
import { loadSecrets } from "./secrets.js";
import { startEmbeddedServices } from "./standalone.js";
import { migrateAll } from "./storage.js";
import type { Runtime } from "./runtime.js";

const DRAIN_BUDGET_MS = 15_000;

/** Brings everything up in this process, prints how to use it, and stays until it is told to stop. */
export async function up(options: UpOptions, configFile: string | undefined): Promise<void> {
  closeInherited();
  const startedMs = performance.now();
  // Whoever read our words may have gone (`npm start | head`); the cloud goes on.
  process.stdout.on("error", () => {});
  const lock = await openHome(options.home, options.fresh);
  const config = loadConfig(sections, { file: configFile, env: process.env, ignoreEnv: otherVariables });
  const policy = openPolicy(config.policy);
  const log = createLogger({
    level: config.telemetry.logLevel,
    destination: openFileDestination(
      config.telemetry.logFile || join(options.home, "kilonova.log"),
      logBounds(config.telemetry),
    ),
  });
  warnOfFewDescriptors(log, doorsOf(config));
  const lifecycle = createLifecycle({ log, budgetMs: DRAIN_BUDGET_MS });
  await lifecycle.start("lock", async () => ({ value: lock, stop: () => lock.release() }));
  const tasks = createTasks({ service: "kilonova", log });
  onSignals({
    log,
    drain: () => drain(lifecycle),
    report: () => ({ tasks: tasks.states(), memory: process.memoryUsage() }),
  });
  const metrics = new Metrics().withProcessMetrics();
  onStrayErrors({ log, count: metrics.strayErrors(), stop: () => lifecycle.stop() });
  try {
    const { image, guestIsolation } = await bringUp(options, config, {
      log,
      lifecycle,
      tasks,
      metrics,
      policy,
    });
    process.stdout.write(
      readyText(options, performance.now() - startedMs + scriptMs(), {
        image: image?.name,
        guestIsolation,
        descriptors: descriptorsLacking(doorsOf(config)) ?? "",
      }),
    );
    log.info("up.ready", { durationMs: Math.round(performance.now() - startedMs) });
  } catch (error) {
    await lifecycle.stop().catch(() => {});
    throw plainly(error, options);
  }
}

/**
 * Milliseconds that this process had run before `up` was called: the time to load the program counts for who
 * waits.
 */
const scriptMs = (): number => Math.max(0, process.uptime() * 1000 - performance.now());

/**
 * Most connections of each door: Compute, Placement, metadata, consoles, Identity, Image, Network, Block
 * Storage; gRPC.
 */
const doorsOf = ({ rest, up: { standalone } }: KilonovaConfig): number[] => [
  ...Array.from({ length: standalone ? 8 : 4 }, () => rest.maxConnections),
  defaultPublicLimits.maxConnections,
];

async function bringUp(
  options: UpOptions,
  config: KilonovaConfig,
  manners: Pick<Runtime, "log" | "lifecycle" | "tasks" | "metrics" | "policy">,
): Promise<{ readonly image: DemoImage | undefined; readonly guestIsolation: string }> {
  const { log, lifecycle, metrics } = manners;
  const secrets = await loadSecrets(options.home);
  const tracer = await openTracer(config.telemetry, "kilonova", join(options.home, "traces.jsonl"));
  await lifecycle.start("tracer", async () => ({ value: tracer, stop: () => tracer.close() }));
  const network = new LocalNetwork({ log, tracer, metrics });
  const ctx = rootCtx({ requestId: `req-${systemIds.uuid()}`, actor: serviceActor("kilonova"), log });
  const sharing = new Sharing(config.sharing);
  const runtime: Runtime = {
    ...manners,
    options,
    config,
    secrets,
    tracer,
    network,
    sharing,
    bindings: new Map(),
  };
  let up = false;
  const readiness = new Readiness();
  readiness.check("process", () => up || "starting");
  await lifecycle.start("status", async () => {
    const server = await startStatusServer({
      listen: { host: "127.0.0.1", port: options.ports.status },
      readiness,
      metrics,
    });
    return { value: server, stop: () => server.close() };
  });
  let image: DemoImage | undefined;
  let guestIsolation = "";
  const steps = new Listr(
    [
      {
        title: "Database and guest image",
        task: async () => {
          image = await foundation(ctx, runtime);
        },
      },
      { title: "Services", task: () => services(ctx, runtime, image) },
      {
        title: `Hosts: ${options.hosts.length} × ${options.driver}`,
        task: async () => {
          guestIsolation = await hosts(ctx, runtime);
        },
      },
      { title: "Doors", task: () => doors(ctx, runtime) },
    ],
    { renderer: process.stdout.isTTY ? "default" : "silent", registerSignalListeners: false },
  );
  await steps.run();
  up = true;
  return { image, guestIsolation };
}

/**
 * What does not need anything else, at the same time: PostgreSQL with its schemas, and the guest's image.
 * @returns  the image for our own Image service; undefined when another one is used
 */
async function foundation(ctx: Ctx, runtime: Runtime): Promise<DemoImage | undefined> {
  const { options, config, log, lifecycle, metrics } = runtime;
  const [image] = await Promise.all([
    config.up.standalone ? demoImage(ctx, options) : undefined,
    (async () => {
      const postgres = await lifecycle.start("postgres", async () => {
        const server = await startPostgres(ctx, { stateDir: options.home, log });
        return { value: server, stop: () => server.stop() };
      });
      const open = (name: string, bounds: Partial<PoolOptions>): Promise<DbPool> =>
        lifecycle.start(name, async () => {
          const pool = openPool({
            ...postgres.connection,
            ...bounds,
            applicationName: "kilonova",
            log,
            metrics: dbMetrics(metrics),
          });
          return { value: pool, stop: () => pool.close() };
        });
      const { costlyListConnections, costlyListTimeoutMs } = config.cells;
      runtime.pool = await open("pool", { max: 24 });
      runtime.listPool = await open("list pool", {
        max: costlyListConnections,
        statementTimeoutMs: costlyListTimeoutMs,
      });
      await migrateAll(ctx, runtime.pool);
    })(),
  ]);
  return image;
}

async function services(ctx: Ctx, runtime: Runtime, image: DemoImage | undefined): Promise<void> {
  const { options, secrets, config } = runtime;
  if (image) await startEmbeddedServices(ctx, runtime, [image]);
  runtime.clients = openClients(identityOf(config, options.ports, secrets), config);
  runtime.directory = await openCoordination(ctx, runtime);
  await startRecords(runtime);
}

/** Last to open, so first to close; then background work ends while everything it calls is still there. */
async function doors(ctx: Ctx, runtime: Runtime): Promise<void> {
  const { options, config, secrets, lifecycle, tasks } = runtime;
  await lifecycle.start("tasks", async () => ({
    value: tasks,
    stop: async (budgetMs) => {
      await tasks.stop(budgetMs);
    },
  }));
  await openEdges(ctx, runtime);
  if (config.up.standalone) await writeCredentials(options.home, options.ports, secrets);
}

/** @returns how guests are shut in, in a sentence */
async function hosts(ctx: Ctx, runtime: Runtime): Promise<string> {
  const { options, config, secrets, clients, directory, network, tasks, metrics, lifecycle } = runtime;
  if (!clients || !directory) throw new Error("services are not up");
  const started = await lifecycle.start("hosts", async () => {
    const value = await startHosts(ctx, {
      options,
      config: config.compute,
      secrets,
      clients,
      directory,
      network,
      tasks,
      metrics,
    });
    return { value, stop: () => value.stop() };
  });
  const operator = network.connect("cells", { service: "operator", host: "" });
  await seedFlavors(ctx, operator.client(GlobalServiceDefinition), started.capacity);
  await startDrivers(ctx, runtime);
  return started.guestIsolation;
}

async function drain(lifecycle: Lifecycle): Promise<void> {
  process.stdout.write("\nStopping; guests keep running. Ctrl-C again ends at once.\n");
  await lifecycle.stop();
}

/** What a user can mend, in one sentence; any other error as it is. */
function plainly(error: unknown, options: UpOptions): unknown {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    const { code, port } = e as NodeJS.ErrnoException & { port?: number };
    if (code === "EADDRINUSE" && port !== undefined) {
      return UpErrors.PORT_BUSY(
        { port, service: Object.entries(options.ports).find(([, p]) => p === port)?.[0] ?? "a service" },
        { cause: error },
      );
    }
    if (code === "ENOSPC") return UpErrors.DISK_FULL({ home: options.home }, { cause: error });
    if (
      e instanceof KilonovaError &&
      (e.reason === "MIGRATION_CHANGED" || e.reason === "MIGRATIONS_DIVERGED")
    )
      return UpErrors.OTHER_DATABASE({ home: options.home }, { cause: error });
  }
  return error;
}
