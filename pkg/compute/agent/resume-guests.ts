import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import type { Driver, GuestState } from "../driver.js";

export interface ResumeDeps {
  readonly driver: Driver;
  readonly powerOn: (ctx: Ctx, instance: InstanceRecord) => Promise<PowerState>;
  /** Takes the guest's state after the attempt; it replaces what the driver told at its start. */
  readonly note: (serverId: string, state: PowerState, byGuest: boolean) => void;
}

/**
 * Powers on the guests that ran by the record and do not run now, before anything is told of them: after a reboot of
 * the machine, and after guests that ended while no agent looked. One that cannot be powered on is told of as it is.
 *
 * @param instances  records of this host
 * @source nova.conf resume_guests_state_on_host_boot
 */
export async function resumeGuests(ctx: Ctx, { driver, powerOn, note }: ResumeDeps, instances: readonly InstanceRecord[]): Promise<void> {
  const guests = new Map((await driver.list(ctx)).map((guest) => [guest.instanceUuid, guest]));
  for (const instance of instances) {
    const serverId = instance.server?.id ?? "";
    if (!shouldResume(instance, guests.get(serverId))) continue;
    try {
      note(serverId, await powerOn(ctx, instance), false);
      ctx.log.info("agent.guest.resumed", { instanceUuid: serverId });
    } catch (error) {
      ctx.signal.throwIfAborted();
      ctx.log.error("agent.guest.resume-failed", { instanceUuid: serverId, error });
    }
  }
}

/** A server that an operation owns is left to that; so is a guest that this host does not know. */
function shouldResume({ server }: InstanceRecord, guest: GuestState | undefined): boolean {
  if (!server || server.currentOperation !== "" || server.taskState !== "") return false;
  const ran = server.vmState === VmState.VM_STATE_ACTIVE && server.powerState === PowerState.POWER_STATE_RUNNING;
  return ran && (guest?.powerState === "SHUTDOWN" || guest?.powerState === "CRASHED");
}
