import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { asKilonovaError, causesOf } from "../../kernel/index.js";
import type { CommandHost } from "../commands/command.js";
import powerOnGuest from "../commands/power-on-guest.js";
import type { GuestState } from "../driver.js";
import { untold } from "../driver.js";
import type { Commands } from "./commands.js";
import { powerStateOf } from "./power-states.js";
import type { GuestReport } from "./guest-watch.js";

export interface ResumeDeps {
  readonly own: CommandHost;
  readonly commands: Pick<Commands, "beside">;
  /** Takes the guest's state after the attempt; it replaces what the driver told at its start. */
  readonly note: (serverId: string, report: GuestReport) => void;
}

/**
 * Powers on the guests that ran by the record and do not run now, before anything is told of them: after a
 * reboot of the machine, and after guests that ended while no agent looked. The server of one that cannot be
 * powered on is in error. A server that a command has been at since its record was read is left as that left
 * it: this may take long, and users go on meanwhile.
 *
 * @param instances  records of this host
 * @param asOf       moment of the commands before they were read
 * @source nova.conf resume_guests_state_on_host_boot
 */
export async function resumeGuests(
  ctx: Ctx,
  { own, commands, note }: ResumeDeps,
  instances: readonly InstanceRecord[],
  asOf: number,
): Promise<void> {
  const guests = new Map((await own.driver.list(ctx)).map((guest) => [guest.instanceUuid, guest]));
  for (const instance of instances) {
    const serverId = instance.server?.id ?? "";
    const guest = guests.get(serverId);
    if (guest === undefined || !shouldResume(instance, guest)) continue;
    try {
      const call = { ctx, serverId, host: own, tell: untold };
      const resumed = await commands.beside(serverId, asOf, async () => {
        const { powerState } = await powerOnGuest.run(call, { instance });
        note(serverId, { state: powerState, byGuest: false });
      });
      if (resumed) ctx.log.info("agent.guest.resumed", { instanceUuid: serverId });
    } catch (error) {
      ctx.signal.throwIfAborted();
      ctx.log.error("agent.guest.resume-failed", { instanceUuid: serverId, error });
      const { reason, message } = asKilonovaError(error);
      note(serverId, {
        state: powerStateOf[guest.powerState],
        byGuest: false,
        fault: { code: 500, message, details: causesOf(error), reason },
      });
    }
  }
}

/**
 * Those whose guest may run; a rescued one starts from its rescue disk again. A resized one is where it has
 * moved to: the host that it has left has no record of it.
 */
const RUNS: ReadonlySet<VmState> = new Set([
  VmState.VM_STATE_ACTIVE,
  VmState.VM_STATE_RESCUED,
  VmState.VM_STATE_RESIZED,
]);

/** A server that an operation owns is left to that. */
function shouldResume({ server }: InstanceRecord, guest: GuestState): boolean {
  if (!server || server.currentOperation !== "" || server.taskState !== "") return false;
  const ran = RUNS.has(server.vmState) && server.powerState === PowerState.POWER_STATE_RUNNING;
  return ran && (guest.powerState === "SHUTDOWN" || guest.powerState === "CRASHED");
}
