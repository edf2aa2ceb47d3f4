import { HostStatus, VmState } from "../../../../gen/kilonova/type/v1/server.js";

interface StatusRule {
  readonly vmState: VmState;
  /** Status while no listed task runs. */
  readonly status: string;
  /** Status while one of these tasks runs. */
  readonly tasks?: Readonly<Record<string, readonly string[]>>;
}

const REBUILD = ["rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"];
const RESIZE = ["resize_prep", "resize_migrating", "resize_migrated", "resize_finish"];

/** How vm_state and task_state make a status. @source compute API's table of states */
const rules: readonly StatusRule[] = [
  {
    vmState: VmState.VM_STATE_ACTIVE,
    status: "ACTIVE",
    tasks: {
      REBOOT: ["rebooting", "reboot_pending", "reboot_started"],
      HARD_REBOOT: ["rebooting_hard", "reboot_pending_hard", "reboot_started_hard"],
      PASSWORD: ["updating_password"],
      REBUILD,
      MIGRATING: ["migrating"],
      RESIZE,
    },
  },
  { vmState: VmState.VM_STATE_BUILDING, status: "BUILD" },
  { vmState: VmState.VM_STATE_STOPPED, status: "SHUTOFF", tasks: { RESIZE, REBUILD } },
  {
    vmState: VmState.VM_STATE_RESIZED,
    status: "VERIFY_RESIZE",
    tasks: { REVERT_RESIZE: ["resize_reverting"] },
  },
  { vmState: VmState.VM_STATE_PAUSED, status: "PAUSED", tasks: { MIGRATING: ["migrating"] } },
  { vmState: VmState.VM_STATE_SUSPENDED, status: "SUSPENDED" },
  { vmState: VmState.VM_STATE_RESCUED, status: "RESCUE" },
  { vmState: VmState.VM_STATE_ERROR, status: "ERROR", tasks: { REBUILD } },
  { vmState: VmState.VM_STATE_DELETED, status: "DELETED" },
  { vmState: VmState.VM_STATE_SOFT_DELETED, status: "SOFT_DELETED" },
  { vmState: VmState.VM_STATE_SHELVED, status: "SHELVED" },
  { vmState: VmState.VM_STATE_SHELVED_OFFLOADED, status: "SHELVED_OFFLOADED" },
];

const byState = new Map(
  rules.map((rule) => [
    rule.vmState,
    {
      status: rule.status,
      byTask: new Map(
        Object.entries(rule.tasks ?? {}).flatMap(([status, tasks]) =>
          tasks.map((task) => [task, status] as const),
        ),
      ),
    },
  ]),
);

/** What REST shows as `status`; a deleted record is DELETED whatever its states say. */
export function statusOf(vmState: VmState, taskState: string, deleted: boolean): string {
  if (deleted) return "DELETED";
  const rule = byState.get(vmState);
  return rule?.byTask.get(taskState) ?? rule?.status ?? "UNKNOWN";
}

/** The states that a list filter by status selects. */
export interface StatusSelection {
  readonly vmStates: readonly VmState[];
  /** Empty when the tasks do not matter. */
  readonly taskStates: readonly string[];
}

/**
 * The inverse of `statusOf`, for filters: any of the given statuses.
 * When one of them is a state's status without task, tasks no longer matter, as in OpenStack.
 * @param statuses  in any case; unknown ones select nothing
 */
export function statesOfStatuses(statuses: readonly string[]): StatusSelection {
  const wanted = new Set(statuses.map((status) => status.toUpperCase()));
  const vmStates: VmState[] = [];
  const taskStates = new Set<string>();
  let anyTask = false;
  for (const rule of rules) {
    const plain = wanted.has(rule.status);
    const tasks = Object.entries(rule.tasks ?? {}).flatMap(([status, names]) =>
      wanted.has(status) ? names : [],
    );
    if (!plain && tasks.length === 0) continue;
    vmStates.push(rule.vmState);
    anyTask ||= plain;
    for (const task of tasks) taskStates.add(task);
  }
  return { vmStates, taskStates: anyTask ? [] : [...taskStates] };
}

const hostStatuses: Readonly<Record<number, string>> = {
  [HostStatus.HOST_STATUS_UP]: "UP",
  [HostStatus.HOST_STATUS_DOWN]: "DOWN",
  [HostStatus.HOST_STATUS_MAINTENANCE]: "MAINTENANCE",
  [HostStatus.HOST_STATUS_UNKNOWN]: "UNKNOWN",
  [HostStatus.HOST_STATUS_NONE]: "",
};

/** undefined when `api` did not tell, which means that policy forbids it. */
export const hostStatusName = (status: HostStatus): string | undefined => hostStatuses[status];
