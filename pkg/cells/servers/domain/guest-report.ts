import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { ServerFault } from "../../../../gen/kilonova/type/v1/server.js";
import { PowerState, VmState } from "../../../../gen/kilonova/type/v1/server.js";

/**
 * What a report of a guest's power changes on its record. A guest that ended by itself stops the server, as
 * Nova's power synchronisation does, a crashed one too: its power state is SHUTDOWN then. One that its host
 * could not bring back up is in error. One that is suspended although its server is active stops it, too: its
 * power state stays SUSPENDED, since its memory is still there until it is started. A server that something
 * else owns is left to that.
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
  const ended = off || power === PowerState.POWER_STATE_SUSPENDED;
  const vmState =
    ended && server.vmState === VmState.VM_STATE_ACTIVE ? VmState.VM_STATE_STOPPED : server.vmState;
  const powerState = off && vmState === VmState.VM_STATE_STOPPED ? PowerState.POWER_STATE_SHUTDOWN : power;
  if (!running && powerState === server.powerState) return undefined;
  return vmState === server.vmState && powerState === server.powerState ? undefined : { vmState, powerState };
}
