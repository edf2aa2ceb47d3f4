import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

/** The version of those that end moves on which nobody has decided; older conductors do not know it. */
export const SOFT_DELETE_MOVED = 2;

/**
 * A deletion that can be taken back: the guest is powered off, everything else stays, and the server counts
 * no more in its project's quota. Nova calls the action "delete", as for good. Never begun by its name:
 * `server.delete` becomes it. What changes volumes and interfaces beside it goes on: a server that may be
 * restored keeps what it has. It takes over from what only moves the guest's power, which leaves nothing
 * behind; whatever else the server is at has to end first. A move that waits for its owner's word is
 * confirmed, as in Nova.
 */
export default declareOperation({
  kind: "server.soft-delete",
  summary: "Powers the guest off and keeps the server until it is restored or reclaimed.",
  versions: [1, SOFT_DELETE_MOVED],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [],
  rule: "os_compute_api:servers:delete",
  action: "delete",
  forms: {
    usual: {
      taskStates: [
        TaskState.none,
        TaskState.poweringOff,
        TaskState.poweringOn,
        TaskState.pausing,
        TaskState.unpausing,
        TaskState.suspending,
        TaskState.resuming,
        TaskState.rebooting,
        TaskState.rebootPending,
        TaskState.rebootStarted,
        TaskState.rebootingHard,
        TaskState.rebootPendingHard,
        TaskState.rebootStartedHard,
      ],
      taskState: TaskState.softDeleting,
      contention: "pre-empts",
      joins: ["server.soft-delete", "server.delete"],
      needsHost: "first",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_SOFT_DELETED],
  quota: () => ({ instances: 0, cores: 0, ram: 0 }),
});
