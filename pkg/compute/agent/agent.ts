import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { Ctx } from "../../kernel/index.js";
import { isRetryable } from "../../kernel/index.js";
import { systemClock } from "../../platform/process/index.js";
import type { Client, ServiceBinding } from "../../platform/rpc/index.js";
import { bindService } from "../../platform/rpc/index.js";
import type { Metrics } from "../../platform/telemetry/index.js";
import { commandReport } from "./command-report.js";
import { Commands } from "./commands.js";
import { removeDeletedGuests } from "./deleted-guests.js";
import { commandHost } from "./command-host.js";
import type { CommandHostDeps } from "./command-host.js";
import { GuestWatch } from "./guest-watch.js";
import { Journal } from "./journal.js";
import { LostPorts } from "./lost-ports.js";
import { progressRoad } from "./progress-road.js";
import { plugGuests } from "./plug-guests.js";
import { Registration } from "./registration.js";
import type { RegistrationDeps } from "./registration.js";
import { resumeGuests } from "./resume-guests.js";
import { agentHandlers } from "./service.js";

export interface AgentDeps extends RegistrationDeps, CommandHostDeps {
  readonly cells: Client<typeof HostsServiceDefinition>;
  readonly journalPath: string;
  /** How often inventory and guests are compared with the records, in ms. */
  readonly auditIntervalMs: number;
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

const FORGET_COMMANDS_MS = 24 * 3600_000;

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
  const watch = new GuestWatch(deps);
  const lost = new LostPorts({ ...deps, clock: systemClock });
  deps.plumbing.onLost((port) => lost.note(port));

  const own = commandHost(deps);
  const removed = deps.metrics.counter(
    "kilonova_compute_deleted_guests_removed_total",
    "Guests removed because their server was deleted while the host was down.",
    ["host"],
  );
  const audit = async (ctx: Ctx, resume = false): Promise<void> => {
    await registration.audit(ctx);
    const instances = await listInstances(ctx, cells, cell, host);
    await removeDeletedGuests(
      ctx,
      { host, cell, cells, commands, own, removed: () => removed.inc({ host }) },
      instances,
    );
    if (resume) await resumeGuests(ctx, { own, note: (...report) => watch.note(...report) }, instances);
    await plugGuests(ctx, deps, instances);
    await watch.compare(ctx, instances);
    commands.prune(FORGET_COMMANDS_MS);
  };

  return {
    bindings: [
      bindService(
        AgentServiceDefinition,
        agentHandlers({ host, own, plumbing: deps.plumbing, commands, epoch: () => registration.epoch }),
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
      await untilReachable(ctx, () => audit(ctx, deps.resumeGuestsStateOnHostBoot));
      await deps.announce(ctx, registration.epoch);
      deps.task(`agent-reports-${host}`, (c) => watch.run(c));
      deps.task(`agent-lost-ports-${host}`, (c) => lost.run(c));
      deps.task(`agent-audit-${host}`, (c) => every(c, deps.auditIntervalMs, (again) => audit(again)));
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

/** The cell may start later than the agent. */
async function untilReachable(ctx: Ctx, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isRetryable(error) || ctx.signal.aborted) throw error;
      ctx.log.warn("agent.cell-unreachable", { error });
      await systemClock.sleep(200, ctx.signal).catch(() => {});
    }
  }
}

/** So much earlier or later each time, as a part: hosts that started together do not audit together. */
const SPREAD = 0.2;

/** Audits again and again; a failed one is only logged, the next may go better. */
async function every(ctx: Ctx, ms: number, work: (ctx: Ctx) => Promise<void>): Promise<void> {
  for (;;) {
    const waitMs = ms * (1 + SPREAD * (2 * Math.random() - 1));
    await systemClock.sleep(waitMs, ctx.signal).catch(() => {});
    if (ctx.signal.aborted) return;
    try {
      await work(ctx);
    } catch (error) {
      ctx.log.warn("agent.audit.failed", { error });
    }
  }
}
