import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { ServerFault } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { whenAborted } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { Driver, GuestEvent } from "../driver.js";
import { powerStateOf } from "./power-states.js";

const eventState: Readonly<Record<GuestEvent["type"], PowerState>> = {
  STARTED: PowerState.POWER_STATE_RUNNING,
  RESUMED: PowerState.POWER_STATE_RUNNING,
  REBOOTED: PowerState.POWER_STATE_RUNNING,
  STOPPED: PowerState.POWER_STATE_SHUTDOWN,
  PAUSED: PowerState.POWER_STATE_PAUSED,
  CRASHED: PowerState.POWER_STATE_CRASHED,
};

const {
  POWER_STATE_NOSTATE,
  POWER_STATE_SHUTDOWN,
  POWER_STATE_CRASHED,
  POWER_STATE_RUNNING,
  POWER_STATE_PAUSED,
} = PowerState;
const { VM_STATE_ACTIVE, VM_STATE_PAUSED, VM_STATE_STOPPED } = VmState;

/** Whether the cell should hear of a guest. What it makes of it is its own affair. */
function differs({ vmState, powerState }: Pick<Server, "vmState" | "powerState">, now: PowerState): boolean {
  const isOff = now === POWER_STATE_SHUTDOWN || now === POWER_STATE_CRASHED;
  if (isOff && (vmState === VM_STATE_ACTIVE || vmState === VM_STATE_PAUSED)) return true;
  if (vmState !== VM_STATE_STOPPED) return now !== powerState;
  if (now === POWER_STATE_RUNNING || now === POWER_STATE_PAUSED) return true;
  // A crashed guest's server is stopped, its power off: that is no difference.
  return (isOff ? POWER_STATE_SHUTDOWN : now) !== powerState;
}

/** What there is to tell of a guest. */
export interface GuestReport {
  readonly state: PowerState;
  /** Whether the guest did it itself. */
  readonly byGuest: boolean;
  /** Why it could not be brought back up. */
  readonly fault?: Omit<ServerFault, "createdAt">;
}

/** With the number by which the cell tells older ones. */
type Pending = GuestReport & { readonly number: bigint };

export interface GuestWatchDeps {
  readonly host: string;
  readonly cell: string;
  readonly driver: Pick<Driver, "list" | "onEvent">;
  readonly cells: Pick<Client<typeof HostsServiceDefinition>, "reportGuest">;
  /**
   * Ends a guest that must not run by its record. @param fence  of the last operation on its server
   */
  readonly stop: (ctx: Ctx, serverId: string, fence: bigint) => Promise<void>;
}

/** Guests that are stopped at once; what is more waits its turn. @source sync_power_state_pool_size */
const STOPS_AT_ONCE = 5;
const AGAIN_MS = 1_000;
const IDLE_MS = 60_000;

/** Tells the cell what guests do by themselves, newest state per guest, until it is taken. */
export class GuestWatch {
  readonly #deps: GuestWatchDeps;
  readonly #pending = new Map<string, Pending>();
  /** Servers whose guests are being stopped. */
  readonly #stopping = new Set<string>();
  #number = BigInt(Date.now()) * 1000n;
  #wake = (): void => {};

  constructor(deps: GuestWatchDeps) {
    this.#deps = deps;
    deps.driver.onEvent((event) =>
      this.note(event.instanceUuid, { state: eventState[event.type], byGuest: event.byGuest }),
    );
  }

  note(serverId: string, report: GuestReport): void {
    this.#pending.set(serverId, { ...report, number: ++this.#number });
    this.#wake();
  }

  /** Sends reports until `ctx.signal` aborts; failed ones again after a second. */
  async run(ctx: Ctx): Promise<void> {
    while (!ctx.signal.aborted) {
      for (const serverId of [...this.#pending.keys()]) await this.#send(ctx, serverId);
      await this.#idle(ctx.signal, this.#pending.size > 0 ? AGAIN_MS : IDLE_MS);
    }
  }

  async #send(ctx: Ctx, serverId: string): Promise<void> {
    const { cells, cell, host } = this.#deps;
    try {
      const report = await this.#stillTrue(ctx, serverId);
      if (report === undefined) return;
      const { mustStop, fence } = await cells.reportGuest(ctx, {
        cell,
        host,
        serverId,
        powerState: report.state,
        byGuest: report.byGuest,
        fault: report.fault,
        reportNumber: report.number,
      });
      if (this.#pending.get(serverId) !== report) return;
      this.#pending.delete(serverId);
      if (mustStop) this.#stop(ctx, serverId, report, fence);
    } catch (error) {
      ctx.log.warn("agent.guest-report.failed", { instanceUuid: serverId, error });
    }
  }

  /**
   * What is to be told of a guest, as it is now: while nobody could be told, it may have been started again,
   * and to tell of the end before would stop its server.
   * @source compute-driver §power sync (re-read, and only if it matches the event)
   */
  async #stillTrue(ctx: Ctx, serverId: string): Promise<Pending | undefined> {
    const noted = this.#pending.get(serverId);
    const guest = (await this.#deps.driver.list(ctx)).find((one) => one.instanceUuid === serverId);
    const newest = this.#pending.get(serverId);
    const now = powerStateOf[guest?.powerState ?? "NOSTATE"];
    if (noted === undefined || newest !== noted) return newest;
    if (now === noted.state || now === POWER_STATE_NOSTATE) return noted;
    if (noted.fault !== undefined && now !== POWER_STATE_RUNNING) return noted;
    const report = { state: now, byGuest: false, number: ++this.#number };
    this.#pending.set(serverId, report);
    return report;
  }

  /** Has a guest stopped beside the reports. One that cannot be stopped is told of again by the next sync. */
  #stop(ctx: Ctx, serverId: string, report: GuestReport, fence: bigint): void {
    if (this.#stopping.has(serverId)) return;
    if (this.#stopping.size >= STOPS_AT_ONCE) {
      const { state, byGuest } = report;
      this.#pending.set(serverId, { state, byGuest, number: ++this.#number });
      return;
    }
    ctx.log.warn("agent.guest.unwanted", { instanceUuid: serverId });
    this.#stopping.add(serverId);
    void this.#deps
      .stop(ctx, serverId, fence)
      .catch((error: unknown) => {
        if (!ctx.signal.aborted) ctx.log.error("agent.guest.stop-failed", { instanceUuid: serverId, error });
      })
      .finally(() => this.#stopping.delete(serverId));
  }

  /**
   * Compares what runs with the records: tells of each guest whose power state differs or does not go with
   * its server's lasting state, unless there is news of it that nobody has taken yet. Says so when there are
   * other guests than records.
   */
  async compare(ctx: Ctx, instances: readonly InstanceRecord[]): Promise<void> {
    const guests = new Map((await this.#deps.driver.list(ctx)).map((g) => [g.instanceUuid, g]));
    if (guests.size !== instances.length)
      ctx.log.warn("agent.guests.miscounted", { guests: guests.size, records: instances.length });
    for (const { server } of instances) {
      if (!server || server.currentOperation || server.taskState || this.#pending.has(server.id)) continue;
      const now = powerStateOf[guests.get(server.id)?.powerState ?? "NOSTATE"];
      if (differs(server, now)) this.note(server.id, { state: now, byGuest: false });
    }
  }

  #idle(signal: AbortSignal, ms: number): Promise<void> {
    return new Promise((resolve) => {
      let leave = (): void => {};
      const done = (): void => {
        clearTimeout(timer);
        leave();
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, ms);
      timer.unref();
      this.#wake = done;
      leave = whenAborted(signal, done);
    });
  }
}
