import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { ServerFault } from "../../../../gen/kilonova/type/v1/server.js";
import { PowerState, VmState } from "../../../../gen/kilonova/type/v1/server.js";

/**
 * What a report of a guest's power changes on its record. A guest that ended by itself stops the server, as
 * Nova's power synchronisation does, a crashed one too: its power state is SHUTDOWN then. One that its host
 * could not bring back up is in error. One that is suspended although its server is active stops it, too: its
 * power state stays SUSPENDED, since its memory is still there until it is started. A paused one whose guest
 * has ended is stopped as well. A server that something else owns is left to that.
 * @param fault  why it could not be brought back up
 * @returns undefined when nothing changes
 * @source compute-driver §power sync (nova manager.py _sync_instance_power_state, _init_instance)
 */
export function afterGuestReport(
  server: Server,
  power: PowerState,
  fault?: ServerFault,
): (Pick<Server, "vmState" | "powerState"> & Partial<Pick<Server, "fault">>) | undefined {
  if (server.currentOperation !== "" || server.taskState !== "") return undefined;
  const running = server.vmState === VmState.VM_STATE_ACTIVE || server.vmState === VmState.VM_STATE_RESCUED;
  if (fault !== undefined)
    return running ? { vmState: VmState.VM_STATE_ERROR, powerState: power, fault } : undefined;
  const off = power === PowerState.POWER_STATE_SHUTDOWN || power === PowerState.POWER_STATE_CRASHED;
  const ended =
    (server.vmState === VmState.VM_STATE_ACTIVE && (off || power === PowerState.POWER_STATE_SUSPENDED)) ||
    (server.vmState === VmState.VM_STATE_PAUSED && off);
  const vmState = ended ? VmState.VM_STATE_STOPPED : server.vmState;
  const powerState = off && vmState === VmState.VM_STATE_STOPPED ? PowerState.POWER_STATE_SHUTDOWN : power;
  if (!running && powerState === server.powerState) return undefined;
  return vmState === server.vmState && powerState === server.powerState ? undefined : { vmState, powerState };
}

const isUp = (power: PowerState): boolean =>
  power === PowerState.POWER_STATE_RUNNING || power === PowerState.POWER_STATE_PAUSED;

type Power = Pick<Server, "vmState" | "powerState">;

/** What the agent has to do with a guest that it has reported. */
export interface GuestVerdict {
  readonly mustStop: boolean;
  /** Of the last operation on the server; 0 where there is nothing to do. */
  readonly fence: bigint;
}

/** Nothing to do. */
export const letBe: GuestVerdict = { mustStop: false, fence: 0n };

/**
 * A guest must be stopped when its server is: it was started behind everybody's back, or its stop was lost. A
 * suspended one is left alone; its memory does no harm. Not while something owns the server.
 * @param fence  of the last operation on the server
 * @source nova manager.py _sync_instance_power_state (vm_states.STOPPED)
 */
export function verdictOn(
  { vmState, currentOperation, taskState }: Pick<Server, "vmState" | "currentOperation" | "taskState">,
  power: PowerState,
  fence: bigint,
): GuestVerdict {
  const mustStop =
    vmState === VmState.VM_STATE_STOPPED && currentOperation === "" && taskState === "" && isUp(power);
  return mustStop ? { mustStop, fence } : letBe;
}

/** Whether a change that a report has made is a stop, which the server's timeline shows. */
export const isStop = (before: Power, after: Power): boolean =>
  after.vmState === VmState.VM_STATE_STOPPED &&
  (before.vmState !== after.vmState ||
    (isUp(before.powerState) && after.powerState === PowerState.POWER_STATE_SHUTDOWN));
