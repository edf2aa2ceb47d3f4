import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";

/** Nova's word for each vm_state, as REST and SQL spell it. */
const VM_WORDS: ReadonlyMap<VmState, string> = new Map<VmState, string>([
  [VmState.VM_STATE_BUILDING, "building"],
  [VmState.VM_STATE_ACTIVE, "active"],
  [VmState.VM_STATE_PAUSED, "paused"],
  [VmState.VM_STATE_SUSPENDED, "suspended"],
  [VmState.VM_STATE_STOPPED, "stopped"],
  [VmState.VM_STATE_RESCUED, "rescued"],
  [VmState.VM_STATE_RESIZED, "resized"],
  [VmState.VM_STATE_SOFT_DELETED, "soft-delete"],
  [VmState.VM_STATE_DELETED, "deleted"],
  [VmState.VM_STATE_ERROR, "error"],
  [VmState.VM_STATE_SHELVED, "shelved"],
  [VmState.VM_STATE_SHELVED_OFFLOADED, "shelved_offloaded"],
]);
const VM_STATES: ReadonlyMap<string, VmState> = new Map([...VM_WORDS].map(([state, word]) => [word, state]));

/** @returns e.g. `shelved_offloaded`; "" for an unset state */
export const vmStateWord = (state: VmState): string => VM_WORDS.get(state) ?? "";

/** @returns undefined for an unknown word */
export const vmStateOf = (word: string): VmState | undefined => VM_STATES.get(word);

/** Nova's number for each power state; 2 and 5 are not used. */
const POWER_NUMBERS: ReadonlyMap<PowerState, number> = new Map<PowerState, number>([
  [PowerState.POWER_STATE_UNSPECIFIED, 0],
  [PowerState.POWER_STATE_NOSTATE, 0],
  [PowerState.POWER_STATE_RUNNING, 1],
  [PowerState.POWER_STATE_PAUSED, 3],
  [PowerState.POWER_STATE_SHUTDOWN, 4],
  [PowerState.POWER_STATE_CRASHED, 6],
  [PowerState.POWER_STATE_SUSPENDED, 7],
]);

const POWER_STATES: ReadonlyMap<number, PowerState> = new Map(
  [...POWER_NUMBERS].map(([state, number]) => [number, state]),
);

/** The number that REST shows as OS-EXT-STS:power_state. */
export const powerStateNumber = (state: PowerState): number => POWER_NUMBERS.get(state) ?? 0;

const POWER_WORDS: ReadonlyMap<PowerState, string> = new Map<PowerState, string>([
  [PowerState.POWER_STATE_RUNNING, "running"],
  [PowerState.POWER_STATE_PAUSED, "paused"],
  [PowerState.POWER_STATE_SHUTDOWN, "shutdown"],
  [PowerState.POWER_STATE_CRASHED, "crashed"],
  [PowerState.POWER_STATE_SUSPENDED, "suspended"],
]);

/** Nova's word for it; a state that nobody knows is `pending`. */
export const powerStateWord = (state: PowerState): string => POWER_WORDS.get(state) ?? "pending";

/** @returns undefined for an unknown number */
export const powerStateOf = (number: number): PowerState | undefined => POWER_STATES.get(number);

/** Every task state of Nova, whether an operation has it already or not. */
export const TaskState = {
  none: "",
  scheduling: "scheduling",
  blockDeviceMapping: "block_device_mapping",
  networking: "networking",
  spawning: "spawning",
  imageSnapshot: "image_snapshot",
  imageSnapshotPending: "image_snapshot_pending",
  imagePendingUpload: "image_pending_upload",
  imageUploading: "image_uploading",
  imageBackup: "image_backup",
  updatingPassword: "updating_password",
  resizePrep: "resize_prep",
  resizeMigrating: "resize_migrating",
  resizeMigrated: "resize_migrated",
  resizeFinish: "resize_finish",
  resizeReverting: "resize_reverting",
  resizeConfirming: "resize_confirming",
  rebooting: "rebooting",
  rebootPending: "reboot_pending",
  rebootStarted: "reboot_started",
  rebootingHard: "rebooting_hard",
  rebootPendingHard: "reboot_pending_hard",
  rebootStartedHard: "reboot_started_hard",
  pausing: "pausing",
  unpausing: "unpausing",
  suspending: "suspending",
  resuming: "resuming",
  poweringOff: "powering-off",
  poweringOn: "powering-on",
  rescuing: "rescuing",
  unrescuing: "unrescuing",
  rebuilding: "rebuilding",
  rebuildBlockDeviceMapping: "rebuild_block_device_mapping",
  rebuildSpawning: "rebuild_spawning",
  migrating: "migrating",
  deleting: "deleting",
  softDeleting: "soft-deleting",
  restoring: "restoring",
  shelving: "shelving",
  shelvingImagePendingUpload: "shelving_image_pending_upload",
  shelvingImageUploading: "shelving_image_uploading",
  shelvingOffloading: "shelving_offloading",
  unshelving: "unshelving",
} as const;
