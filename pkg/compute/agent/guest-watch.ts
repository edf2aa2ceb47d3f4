import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
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

/** What there is to tell of a guest. */
export interface GuestReport {
  readonly state: PowerState;
  /** Whether the guest did it itself. */
  readonly byGuest: boolean;
  /** Why it could not be brought back up. */
  readonly fault?: Omit<ServerFault, "createdAt">;
}

export interface GuestWatchDeps {
  readonly host: string;
  readonly cell: string;
  readonly driver: Driver;
  readonly cells: Client<typeof HostsServiceDefinition>;
}

/** Tells the cell what guests do by themselves, newest state per guest, until it is taken. */
export class GuestWatch {
  readonly #deps: GuestWatchDeps;
  readonly #pending = new Map<string, GuestReport & { readonly number: bigint }>();
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
      for (const [serverId, report] of [...this.#pending]) {
        try {
          await this.#deps.cells.reportGuest(ctx, {
            cell: this.#deps.cell,
            host: this.#deps.host,
            serverId,
            powerState: report.state,
            byGuest: report.byGuest,
            fault: report.fault,
            reportNumber: report.number,
          });
          if (this.#pending.get(serverId) === report) this.#pending.delete(serverId);
        } catch (error) {
          ctx.log.warn("agent.guest-report.failed", { instanceUuid: serverId, error });
        }
      }
      await this.#idle(ctx.signal, this.#pending.size > 0 ? 1000 : 60_000);
    }
  }

  /**
   * Compares what runs with the records: tells of each guest whose power state differs, unless there is news
   * of it that nobody has taken yet.
   */
  async compare(ctx: Ctx, instances: readonly InstanceRecord[]): Promise<void> {
    const guests = new Map((await this.#deps.driver.list(ctx)).map((g) => [g.instanceUuid, g]));
    for (const { server } of instances) {
      if (!server || server.currentOperation || server.taskState || this.#pending.has(server.id)) continue;
      const now = powerStateOf[guests.get(server.id)?.powerState ?? "NOSTATE"];
      // A crashed guest's server is stopped, its power off: that is no difference.
      const settled =
        now === PowerState.POWER_STATE_CRASHED && server.vmState === VmState.VM_STATE_STOPPED
          ? PowerState.POWER_STATE_SHUTDOWN
          : now;
      if (settled !== server.powerState) this.note(server.id, { state: now, byGuest: false });
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
