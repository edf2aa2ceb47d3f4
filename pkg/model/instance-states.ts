import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";

/** Nova's word for each vm_state, as REST and SQL spell it. */
const VM_WORDS: ReadonlyMap<VmState, string> = new Map<VmState, string>([
  [VmState.VM_STATE_BUILDING, "building"], [VmState.VM_STATE_ACTIVE, "active"], [VmState.VM_STATE_PAUSED, "paused"],
  [VmState.VM_STATE_SUSPENDED, "suspended"], [VmState.VM_STATE_STOPPED, "stopped"], [VmState.VM_STATE_RESCUED, "rescued"],
  [VmState.VM_STATE_RESIZED, "resized"], [VmState.VM_STATE_SOFT_DELETED, "soft-delete"], [VmState.VM_STATE_DELETED, "deleted"],
  [VmState.VM_STATE_ERROR, "error"], [VmState.VM_STATE_SHELVED, "shelved"], [VmState.VM_STATE_SHELVED_OFFLOADED, "shelved_offloaded"],
]);
const VM_STATES: ReadonlyMap<string, VmState> = new Map([...VM_WORDS].map(([state, word]) => [word, state]));

/** @returns e.g. `shelved_offloaded`; "" for an unset state */
export const vmStateWord = (state: VmState): string => VM_WORDS.get(state) ?? "";

/** @returns undefined for an unknown word */
export const vmStateOf = (word: string): VmState | undefined => VM_STATES.get(word);

/** Nova's number for each power state; 2 and 5 are not used. */
const POWER_NUMBERS: ReadonlyMap<PowerState, number> = new Map<PowerState, number>([
  [PowerState.POWER_STATE_UNSPECIFIED, 0], [PowerState.POWER_STATE_NOSTATE, 0], [PowerState.POWER_STATE_RUNNING, 1],
  [PowerState.POWER_STATE_PAUSED, 3], [PowerState.POWER_STATE_SHUTDOWN, 4], [PowerState.POWER_STATE_CRASHED, 6],
  [PowerState.POWER_STATE_SUSPENDED, 7],
]);

/** The number that REST shows as OS-EXT-STS:power_state. */
export const powerStateNumber = (state: PowerState): number => POWER_NUMBERS.get(state) ?? 0;

/** Nova's task states that exist in version 1's operations. The lasting words of the others are in `TASK_STATUS`. */
export const TaskState = {
  none: "", scheduling: "scheduling", networking: "networking", blockDeviceMapping: "block_device_mapping", spawning: "spawning",
  deleting: "deleting", poweringOn: "powering-on", poweringOff: "powering-off", rebooting: "rebooting", rebootingHard: "rebooting_hard",
  rebootStarted: "reboot_started", rebootStartedHard: "reboot_started_hard",
} as const;

const each = (status: string, ...tasks: string[]): [string, string][] => tasks.map((task) => [task, status]);
const RESIZING = ["resize_prep", "resize_migrating", "resize_migrated", "resize_finish"];
const REBUILDING = ["rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"];

/** Status by vm_state: the usual one and those that task states turn it into. @source compute-api-states §2 (nova common.py `_STATE_MAP`) */
const STATUS: ReadonlyMap<VmState, { readonly usual: string; readonly byTask: ReadonlyMap<string, string> }> = new Map([
  [VmState.VM_STATE_ACTIVE, { usual: "ACTIVE", byTask: new Map([
    ...each("REBOOT", "rebooting", "reboot_pending", "reboot_started"),
    ...each("HARD_REBOOT", "rebooting_hard", "reboot_pending_hard", "reboot_started_hard"),
    ...each("PASSWORD", "updating_password"), ...each("REBUILD", ...REBUILDING), ...each("MIGRATING", "migrating"), ...each("RESIZE", ...RESIZING),
  ]) }],
  [VmState.VM_STATE_BUILDING, { usual: "BUILD", byTask: new Map() }],
  [VmState.VM_STATE_STOPPED, { usual: "SHUTOFF", byTask: new Map([...each("RESIZE", ...RESIZING), ...each("REBUILD", ...REBUILDING)]) }],
  [VmState.VM_STATE_RESIZED, { usual: "VERIFY_RESIZE", byTask: new Map(each("REVERT_RESIZE", "resize_reverting")) }],
  [VmState.VM_STATE_PAUSED, { usual: "PAUSED", byTask: new Map(each("MIGRATING", "migrating")) }],
  [VmState.VM_STATE_SUSPENDED, { usual: "SUSPENDED", byTask: new Map() }],
  [VmState.VM_STATE_RESCUED, { usual: "RESCUE", byTask: new Map() }],
  [VmState.VM_STATE_ERROR, { usual: "ERROR", byTask: new Map(each("REBUILD", ...REBUILDING)) }],
  [VmState.VM_STATE_DELETED, { usual: "DELETED", byTask: new Map() }],
  [VmState.VM_STATE_SOFT_DELETED, { usual: "SOFT_DELETED", byTask: new Map() }],
  [VmState.VM_STATE_SHELVED, { usual: "SHELVED", byTask: new Map() }],
  [VmState.VM_STATE_SHELVED_OFFLOADED, { usual: "SHELVED_OFFLOADED", byTask: new Map() }],
]);

/** What REST shows as `status`. A deleted record shows DELETED whatever its states. */
export function serverStatus(vmState: VmState, taskState: string, deleted = false): string {
  if (deleted) return "DELETED";
  const row = STATUS.get(vmState);
  return row === undefined ? "UNKNOWN" : row.byTask.get(taskState) ?? row.usual;
}

/** What a `status` filter selects: `taskStates` undefined means any. */
export interface StatusFilter { readonly vmStates: readonly VmState[]; readonly taskStates: readonly string[] | undefined }

/**
 * The states that a status may stand for. As in Nova, a usual status (ACTIVE) matches its vm_state with any task.
 * @returns undefined for an unknown status
 */
export function statesOfStatus(status: string): StatusFilter | undefined {
  const wanted = status.toUpperCase();
  const vmStates: VmState[] = [];
  const taskStates: string[] = [];
  let anyTask = false;
  for (const [vmState, { usual, byTask }] of STATUS) {
    if (usual === wanted) { vmStates.push(vmState); anyTask = true; continue; }
    const tasks = [...byTask].filter(([, word]) => word === wanted).map(([task]) => task);
    if (tasks.length > 0) { vmStates.push(vmState); taskStates.push(...tasks.filter((task) => !taskStates.includes(task))); }
  }
  if (vmStates.length === 0) return undefined;
  return { vmStates, taskStates: anyTask ? undefined : taskStates };
}

/** Statuses in which REST shows `progress`. */
export const PROGRESS_STATUSES: ReadonlySet<string> = new Set(["ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"]);
