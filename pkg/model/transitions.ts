import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { TaskState } from "./instance-states.js";

/** Where an action may start and what it shows while it runs: one row of Nova's table, as the api and cells use it. */
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

const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_STOPPED: STOPPED, VM_STATE_PAUSED: PAUSED, VM_STATE_SUSPENDED: SUSPENDED, VM_STATE_ERROR: ERROR } = VmState;
const NONE = [TaskState.none];
const usual = { taskStates: NONE, mustHaveHost: false, mustHaveLaunched: true, checkLock: true, preempt: false, idempotentKind: false };

/** The actions of version 1. @source compute-api-states §4 */
export const ACTION_RULES = {
  delete: { ...usual, kind: "server.delete", action: "delete", verb: "delete", vmStates: undefined, taskStates: undefined, mustHaveLaunched: false, taskState: TaskState.deleting, preempt: true, idempotentKind: true },
  start: { ...usual, kind: "server.start", action: "start", verb: "start", vmStates: [STOPPED], mustHaveHost: true, taskState: TaskState.poweringOn },
  stop: { ...usual, kind: "server.stop", action: "stop", verb: "stop", vmStates: [ACTIVE, ERROR], mustHaveHost: true, taskState: TaskState.poweringOff },
  rebootSoft: { ...usual, kind: "server.reboot", action: "reboot", verb: "reboot", vmStates: [ACTIVE], taskState: TaskState.rebooting },
  rebootHard: {
    ...usual, kind: "server.reboot", action: "reboot", verb: "reboot", vmStates: [ACTIVE, STOPPED, PAUSED, SUSPENDED, ERROR], preempt: true,
    taskStates: ["", "rebooting", "reboot_pending", "reboot_started", "rebooting_hard", "resuming", "unpausing", "pausing", "suspending"],
    taskState: TaskState.rebootingHard,
  },
} as const satisfies Readonly<Record<string, ActionRule>>;

/**
 * Legal changes of the lasting state: target by source. An operation that asks for another one is a bug, found by the
 * commit that would store it.
 */
const LEGAL: ReadonlyMap<VmState, ReadonlySet<VmState>> = new Map([
  [VmState.VM_STATE_BUILDING, new Set<VmState>([ACTIVE, ERROR, VmState.VM_STATE_DELETED])],
  [ACTIVE, new Set<VmState>([STOPPED, ERROR, PAUSED, SUSPENDED, VmState.VM_STATE_RESCUED, VmState.VM_STATE_RESIZED, VmState.VM_STATE_SHELVED, VmState.VM_STATE_SHELVED_OFFLOADED, VmState.VM_STATE_SOFT_DELETED, VmState.VM_STATE_DELETED])],
  [STOPPED, new Set<VmState>([ACTIVE, ERROR, VmState.VM_STATE_RESCUED, VmState.VM_STATE_RESIZED, VmState.VM_STATE_SHELVED, VmState.VM_STATE_SHELVED_OFFLOADED, VmState.VM_STATE_SOFT_DELETED, VmState.VM_STATE_DELETED])],
  [PAUSED, new Set<VmState>([ACTIVE, STOPPED, ERROR, VmState.VM_STATE_SHELVED, VmState.VM_STATE_SHELVED_OFFLOADED, VmState.VM_STATE_SOFT_DELETED, VmState.VM_STATE_DELETED])],
  [SUSPENDED, new Set<VmState>([ACTIVE, STOPPED, ERROR, VmState.VM_STATE_SHELVED, VmState.VM_STATE_SHELVED_OFFLOADED, VmState.VM_STATE_SOFT_DELETED, VmState.VM_STATE_DELETED])],
  [VmState.VM_STATE_RESCUED, new Set<VmState>([ACTIVE, ERROR, VmState.VM_STATE_SOFT_DELETED, VmState.VM_STATE_DELETED])],
  [VmState.VM_STATE_RESIZED, new Set<VmState>([ACTIVE, STOPPED, ERROR, VmState.VM_STATE_SOFT_DELETED, VmState.VM_STATE_DELETED])],
  [VmState.VM_STATE_SOFT_DELETED, new Set<VmState>([ACTIVE, ERROR, VmState.VM_STATE_DELETED])],
  [ERROR, new Set<VmState>([ACTIVE, STOPPED, VmState.VM_STATE_RESCUED, VmState.VM_STATE_SOFT_DELETED, VmState.VM_STATE_DELETED])],
  [VmState.VM_STATE_SHELVED, new Set<VmState>([ACTIVE, VmState.VM_STATE_SHELVED_OFFLOADED, ERROR, VmState.VM_STATE_DELETED])],
  [VmState.VM_STATE_SHELVED_OFFLOADED, new Set<VmState>([ACTIVE, ERROR, VmState.VM_STATE_DELETED])],
  [VmState.VM_STATE_DELETED, new Set<VmState>()],
]);

/** Whether a record in state `from` may be stored in state `to`. */
export const mayBecome = (from: VmState, to: VmState): boolean => from === to || (LEGAL.get(from)?.has(to) ?? false);
