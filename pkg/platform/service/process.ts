import { hostname } from "node:os";
import type { Ctx, Logger, Span } from "../../kernel/index.js";
import { KilonovaError, rootCtx, serviceActor } from "../../kernel/index.js";
import type { ConfigOf, Sections } from "../config/index.js";
import { maskSecrets } from "../config/index.js";
import type { HttpEnv } from "../http/index.js";
import { createLogger } from "../log/index.js";
import { openFileDestination } from "../log/file.js";
import type { Lifecycle, Tasks } from "../process/index.js";
import {
  closeInherited,
  createLifecycle,
  createTasks,
  onSignals,
  onStrayErrors,
  systemIds,
} from "../process/index.js";
import { Metrics, logBounds, openTracer } from "../telemetry/index.js";
import type { Tracer } from "../telemetry/index.js";
import { parseAddress } from "./address.js";
import { processSections } from "./config.js";
import type { clusterSections } from "./config.js";
import { readConfig } from "./options.js";
import { Readiness, startStatusServer } from "./status-server.js";

type ProcessSections = typeof processSections;

/** One service's process: what it was told, and everything around its work. */
export interface ServiceProcess<S extends Sections = Record<never, never>> {
  readonly name: string;
  /** Unique per start. */
  readonly id: string;
  /** This machine, as lists of services name it. */
  readonly host: string;
  readonly config: ConfigOf<ProcessSections & S>;
  readonly log: Logger;
  readonly tracer: Tracer;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  readonly tasks: Tasks;
  readonly readiness: Readiness;
  /** The process's own context, without deadline; ends when it is told to end. */
  readonly ctx: Ctx;
  /** Environment for HTTP services. */
  httpEnv(requestTimeoutMs: number): HttpEnv;
  /**
   * Makes the background loops end at this point of the stop: before what was started earlier, after what
   * starts later.
   */
  holdTasks(): Promise<void>;
  /** Adds to the report of SIGUSR2. */
  report(part: string, fn: () => unknown): void;
}

/** The process of a service that talks to others. */
export type ClusterProcess = ServiceProcess<typeof clusterSections>;

/**
 * Runs a program: reads `--config`, environment and `--set`, opens log, tracer and the status port, calls
 * `main` to bring up the rest, then stays until it is told to end. A failure at the start ends the process
 * with 1 and one clear sentence.
 * @param main  resolves when everything is up
 */
export async function runProcess<S extends Sections>(
  name: string,
  own: S,
  main: (service: ServiceProcess<S>) => Promise<void>,
): Promise<void> {
  closeInherited();
  let stop = async (): Promise<void> => {};
  let log: Logger | undefined;
  try {
    const sections = { ...processSections, ...own };
    const config = readConfig(sections, process.argv.slice(2), process.env) as ConfigOf<ProcessSections & S>;
    const service = await open(name, config, () => maskSecrets(sections, config));
    log = service.log;
    stop = () => service.lifecycle.stop();
    await main(service);
    await service.holdTasks();
    service.started();
  } catch (error) {
    log?.error("service.start.failed", { error });
    // One sentence for what an operator can mend; the rest is for us.
    console.error(error instanceof KilonovaError && error.kind !== "internal" ? error.message : error);
    await stop().catch(() => {});
    process.exit(1);
  }
}

async function open<S extends Sections>(
  name: string,
  config: ConfigOf<ProcessSections & S>,
  masked: () => unknown,
): Promise<ServiceProcess<S> & { started(): void }> {
  // The intersection with an unknown S hides what is there for certain.
  const { telemetry, process: manners } = config as ConfigOf<ProcessSections>;
  const log = createLogger({
    level: telemetry.logLevel,
    fields: { service: name },
    ...(telemetry.logFile
      ? { destination: openFileDestination(telemetry.logFile, logBounds(telemetry)) }
      : {}),
  });
  const lifecycle = createLifecycle({ log, budgetMs: manners.drainMs });
  const tasks = createTasks({ service: name, log });
  const ending = new AbortController();
  const readiness = new Readiness();
  const reports = new Map<string, () => unknown>([
    ["tasks", () => tasks.states()],
    ["memory", () => process.memoryUsage()],
    ["missing", () => readiness.missing()],
    ["config", masked],
  ]);
  let state: "starting" | "running" | "ending" = "starting";
  readiness.check("process", () => state === "running" || state);
  onSignals({
    log,
    report: () => Object.fromEntries([...reports].map(([part, fn]) => [part, fn()])),
    drain: () => {
      state = "ending";
      ending.abort();
      return lifecycle.stop();
    },
  });
  const metrics = new Metrics().withProcessMetrics();
  onStrayErrors({
    log,
    count: metrics.strayErrors(),
    stop: () => {
      ending.abort();
      return lifecycle.stop();
    },
  });
  const tracer = await openTracer(telemetry, name, "traces.jsonl");
  await lifecycle.start("tracer", async () => ({ value: tracer, stop: () => tracer.close() }));
  const status = await lifecycle.start("status", async () => {
    const server = await startStatusServer({
      listen: parseAddress("process.statusListen", manners.statusListen),
      readiness,
      metrics,
    });
    return { value: server, stop: () => server.close() };
  });
  const id = systemIds.uuid();
  log.info("service.starting", { id, pid: process.pid, status: status.url });
  let held = false;
  return {
    name,
    id,
    host: manners.host || (hostname().split(".")[0] ?? "localhost"),
    config,
    log,
    tracer,
    metrics,
    lifecycle,
    tasks,
    readiness,
    ctx: rootCtx({
      requestId: `req-${systemIds.uuid()}`,
      actor: serviceActor(name),
      log,
      signal: ending.signal,
    }),
    httpEnv: (requestTimeoutMs) => ({
      log,
      ids: systemIds,
      requestTimeoutMs,
      startSpan: (span, traceparent, origin): Span => tracer.start(span, traceparent, {}, "server", origin),
    }),
    report: (part, fn) => {
      reports.set(part, fn);
    },
    holdTasks: async () => {
      if (held) return;
      held = true;
      await lifecycle.start("tasks", async () => ({
        value: tasks,
        stop: async (budgetMs) => {
          await tasks.stop(budgetMs);
        },
      }));
    },
    started: () => {
      state = "running";
      log.info("service.ready", { status: status.url });
      // A fixed point for scripts.
      process.stdout.write(`kilonova ${name} is ready: ${status.url}\n`);
    },
  };
}
