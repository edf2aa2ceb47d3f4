import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { Ctx } from "../../kernel/index.js";
import { systemClock } from "../../platform/process/index.js";
import type { Client, ServiceBinding } from "../../platform/rpc/index.js";
import { bindService } from "../../platform/rpc/index.js";
import type { Metrics } from "../../platform/telemetry/index.js";
import { commandReport } from "./command-report.js";
import { Commands } from "./commands.js";
import { commandHost } from "./command-host.js";
import type { CommandHostDeps } from "./command-host.js";
import { GuestWatch } from "./guest-watch.js";
import { Journal } from "./journal.js";
import { LostPorts } from "./lost-ports.js";
import type { PeriodicConfig } from "./periodic/options.js";
import type { PeriodicHost } from "./periodic/periodic-task.js";
import { periodicMetrics, repeat } from "./periodic/repeat.js";
import { periodicTasks } from "./periodic/tasks.js";
import { progressRoad } from "./progress-road.js";
import { Registration } from "./registration.js";
import type { RegistrationDeps } from "./registration.js";
import { agentHandlers } from "./service.js";
import { stopGuest } from "./stop-guest.js";
import { untilReachable } from "./until-reachable.js";

export interface AgentDeps extends RegistrationDeps, CommandHostDeps {
  readonly cells: Client<typeof HostsServiceDefinition>;
  readonly journalPath: string;
  /** What the agent does again and again, and how often. */
  readonly periodic: PeriodicConfig;
  /** Whether the start powers on guests that ran by their record. */
  readonly resumeGuestsStateOnHostBoot: boolean;
  /** Takes the host's lease; resolves once it is held. */
  readonly announce: (ctx: Ctx, epoch: bigint) => Promise<void>;
  readonly metrics: Metrics;
  /** Starts a loop that shutdown can see and stop. */
  readonly task: (name: string, run: (ctx: Ctx) => Promise<void>) => void;
}

/** The largest server that fits on an empty host. */
export interface HostCapacity {
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
}

export interface Agent {
  readonly bindings: readonly ServiceBinding[];
  /** How guests are shut in here, once started; empty where the driver runs none. */
  guestIsolation(): string;
  /** What the host offers, once started: before overcommit, without what is kept for the host. */
  capacity(ctx: Ctx): Promise<HostCapacity>;
  /**
   * Attaches to the hypervisor and its guests, registers, takes the lease; returns when the host can be
   * scheduled to.
   */
  start(ctx: Ctx): Promise<void>;
  /** Lets go of everything but the guests. */
  close(): Promise<void>;
}

/** One hypervisor host's agent. */
export async function createAgent(deps: AgentDeps): Promise<Agent> {
  const { driver, cells, host, cell } = deps;
  const { journal, entries, cutBytes } = await Journal.open(deps.journalPath, Date.now());
  const commands = new Commands(
    journal,
    entries,
    commandReport(cells, cell, host),
    progressRoad(cells, cell, host),
  );
  const registration = new Registration(deps);
  const lost = new LostPorts({ ...deps, clock: systemClock });
  deps.plumbing.onLost((port) => lost.note(port));

  const own = commandHost(deps);
  const watch: GuestWatch = new GuestWatch({
    ...deps,
    stop: (ctx, serverId, fence) =>
      stopGuest(ctx, { own, commands, note: (...report) => watch.note(...report) }, { serverId, fence }),
  });
  const removed = deps.metrics.counter(
    "kilonova_compute_deleted_guests_removed_total",
    "Guests removed because their server was deleted while the host was down.",
    ["host"],
  );
  const atWork: PeriodicHost = {
    host,
    cell,
    cells,
    own,
    commands,
    registration,
    watch,
    clock: systemClock,
    audited: { until: undefined },
    config: deps.periodic,
    plumbing: deps.plumbing,
    images: deps.images,
    resumesGuests: deps.resumeGuestsStateOnHostBoot,
    compactJournal: async (ctx) => {
      if (await journal.compact(Date.now(), (id) => commands.isBusy(id)))
        ctx.log.info("agent.journal.compacted", { path: deps.journalPath });
    },
    asOf: () => commands.moment,
    instances: (ctx) => listInstances(ctx, cells, cell, host),
    removed: () => removed.inc({ host }),
  };
  const told = periodicMetrics(deps.metrics, host, systemClock);
  let attached = false;

  return {
    bindings: [
      bindService(
        AgentServiceDefinition,
        agentHandlers({
          host,
          cell,
          own,
          plumbing: deps.plumbing,
          commands,
          epoch: () => registration.epoch,
          attached: () => attached,
        }),
      ),
    ],
    guestIsolation: () => driver.guestIsolation?.() ?? "",
    async capacity(ctx) {
      const { vcpus, memoryMib, diskGib } = await driver.inventory(ctx);
      const { reserved } = deps;
      return {
        vcpus: vcpus - reserved.vcpus,
        memoryMib: memoryMib - reserved.memoryMib,
        diskGib: diskGib - reserved.diskGib,
      };
    },
    async start(ctx) {
      if (cutBytes > 0) ctx.log.warn("agent.journal.torn", { path: deps.journalPath, cutBytes });
      await driver.start(ctx);
      attached = true;
      const soon = await untilReachable(ctx, systemClock, () => firstLook(ctx, atWork));
      await deps.announce(ctx, registration.epoch);
      deps.task(`agent-reports-${host}`, (c) => watch.run(c));
      deps.task(`agent-lost-ports-${host}`, (c) => lost.run(c));
      for (const { name, everyMs, run } of periodicTasks) {
        const how = { name, everyMs: everyMs(deps.periodic), soon: soon.has(name) };
        const tools = {
          clock: systemClock,
          random: Math.random,
          told: (outcome: "done" | "failed", seconds: number) => told(name, outcome, seconds),
        };
        if (how.everyMs > 0)
          deps.task(`agent-${name}-${host}`, (all) =>
            repeat(all, tools, how, (c, again) => run(c, atWork, again)),
          );
      }
      for (const entry of commands.unfinished()) {
        if (entry.phase !== "started")
          deps.task(`agent-tell-${entry.commandId}`, (c) => commands.tell(c, entry));
      }
    },
    async close() {
      await driver.close();
      await deps.plumbing.close();
      await journal.close();
    },
  };
}

async function listInstances(
  ctx: Ctx,
  cells: Client<typeof HostsServiceDefinition>,
  cell: string,
  host: string,
): Promise<readonly InstanceRecord[]> {
  const all: InstanceRecord[] = [];
  for (let pageToken = ""; ;) {
    const page = await cells.listHostInstances(ctx, { cell, host, pageToken });
    all.push(...page.instances);
    pageToken = page.nextPageToken;
    if (!pageToken) return all;
  }
}

/**
 * What is done before the host can be scheduled to, on one reading of its records.
 * @returns the names of tasks that are due within a minute: those not done here, and those that ask for it
 */
async function firstLook(ctx: Ctx, host: PeriodicHost): Promise<ReadonlySet<string>> {
  let records: Promise<readonly InstanceRecord[]> | undefined;
  const asOf = host.asOf();
  const now = { ...host, asOf: () => asOf, instances: (c: Ctx) => (records ??= host.instances(c)) };
  const soon = new Set(periodicTasks.flatMap(({ name, atStart }) => (atStart ? [] : [name])));
  for (const { name, atStart, run } of periodicTasks) if (atStart) await run(ctx, now, () => soon.add(name));
  return soon;
}
