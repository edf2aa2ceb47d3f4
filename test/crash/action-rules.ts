import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../../pkg/model/instance-states.js";

/** Where an action may start and what it shows while it runs, as the api asks the cells for it. */
export interface ActionRule {
  /** Operation kind. */
  readonly kind: string;
  /** Instance-action name. */
  readonly action: string;
  /** Word in "Cannot '<verb>' instance …". */
  readonly verb: string;
  /** undefined: any. */
  readonly vmStates: readonly VmState[] | undefined;
  /** undefined: any; "" is none. */
  readonly taskStates: readonly string[] | undefined;
  readonly mustHaveHost: boolean;
  readonly mustHaveLaunched: boolean;
  readonly checkLock: boolean;
  /** Task state that the acceptance sets. */
  readonly taskState: string;
  /** Takes over from a running operation. */
  readonly preempt: boolean;
  /** A running operation of the same kind is the answer. */
  readonly idempotentKind: boolean;
}

const {
  VM_STATE_ACTIVE: ACTIVE,
  VM_STATE_STOPPED: STOPPED,
  VM_STATE_PAUSED: PAUSED,
  VM_STATE_SUSPENDED: SUSPENDED,
  VM_STATE_ERROR: ERROR,
} = VmState;
const NONE = [TaskState.none];
const usual = {
  taskStates: NONE,
  mustHaveHost: false,
  mustHaveLaunched: true,
  checkLock: true,
  preempt: false,
  idempotentKind: false,
};

/** The actions that operations are made of here, without an api. */
export const ACTION_RULES = {
  delete: {
    ...usual,
    kind: "server.delete",
    action: "delete",
    verb: "delete",
    vmStates: undefined,
    taskStates: undefined,
    mustHaveLaunched: false,
    taskState: TaskState.deleting,
    preempt: true,
    idempotentKind: true,
  },
  start: {
    ...usual,
    kind: "server.start",
    action: "start",
    verb: "start",
    vmStates: [STOPPED],
    mustHaveHost: true,
    taskState: TaskState.poweringOn,
  },
  stop: {
    ...usual,
    kind: "server.stop",
    action: "stop",
    verb: "stop",
    vmStates: [ACTIVE, ERROR],
    mustHaveHost: true,
    taskState: TaskState.poweringOff,
  },
  rebootSoft: {
    ...usual,
    kind: "server.reboot",
    action: "reboot",
    verb: "reboot",
    vmStates: [ACTIVE],
    taskState: TaskState.rebooting,
  },
  rebootHard: {
    ...usual,
    kind: "server.reboot",
    action: "reboot",
    verb: "reboot",
    vmStates: [ACTIVE, STOPPED, PAUSED, SUSPENDED, ERROR],
    preempt: true,
    taskStates: [
      "",
      "rebooting",
      "reboot_pending",
      "reboot_started",
      "rebooting_hard",
      "resuming",
      "unpausing",
      "pausing",
      "suspending",
    ],
    taskState: TaskState.rebootingHard,
  },
} as const satisfies Readonly<Record<string, ActionRule>>;
