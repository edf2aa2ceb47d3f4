import type { DiskTransfer, GuestState } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import type { Definition } from "./definition.js";
import type { GuestPaths } from "./guest-paths.js";
import type { RunningGuest } from "./running-guest.js";
import type { SavedMemory } from "./saved-memory.js";

/** What the driver holds of one defined guest. */
export interface Entry {
  definition: Definition;
  readonly paths: GuestPaths;
  running: RunningGuest | undefined;
  /** How the last process ended, while there is none. */
  last: "stopped" | "crashed";
  /** Its memory, while it is suspended: there is no process then. */
  saved: SavedMemory | undefined;
  /** Thaws its file systems when nobody else does; undefined while they are not frozen by `quiesce`. */
  thaws?: NodeJS.Timeout | undefined;
  /** Whom its disks are offered to; undefined: nobody. */
  leaving?: DiskTransfer | undefined;
}

/** Of a guest that has never run. */
export const notStarted = { running: undefined, last: "stopped", saved: undefined } as const;

/** Whether it has memory, in a process or in a file, that fits its disks as they are. */
export const hasMemory = ({ running, saved }: Entry): boolean => running !== undefined || saved !== undefined;

/** @throws GUEST_NOT_RUNNING */
export function needRunning(entry: Entry): RunningGuest {
  const { running, definition } = entry;
  if (running === undefined || running.powerState === "SHUTDOWN")
    throw DriverErrors.GUEST_NOT_RUNNING({ instanceUuid: definition.spec.instanceUuid });
  return running;
}

/** @throws GUEST_LEAVING when its disks are offered to another host: what is read there must stay as it is */
export function needStaying({ leaving, definition }: Entry): void {
  if (leaving !== undefined) throw DriverErrors.GUEST_LEAVING({ instanceUuid: definition.spec.instanceUuid });
}

/** The guest's process, unless it only waits to be ended. */
export const upOf = ({ running }: Entry): RunningGuest | undefined =>
  running === undefined || running.powerState === "SHUTDOWN" ? undefined : running;

/** What the driver tells of the guest. A process that only waits to be ended does not count. */
export function toState({ definition, running, last, saved }: Entry): GuestState {
  const { instanceUuid } = definition.spec;
  // A process that is still there has not run since its memory was saved.
  if (saved !== undefined) return { instanceUuid, powerState: "SUSPENDED", pid: 0 };
  if (running === undefined)
    return { instanceUuid, powerState: last === "crashed" ? "CRASHED" : "SHUTDOWN", pid: 0 };
  return {
    instanceUuid,
    powerState: running.powerState,
    pid: running.powerState === "SHUTDOWN" ? 0 : running.identity.pid,
  };
}
