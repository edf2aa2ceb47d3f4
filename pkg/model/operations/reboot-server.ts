import { RebootInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";

/**
 * A hard reboot also helps servers that are off, paused, suspended or broken, and may take over from a reboot
 * that hangs.
 */
export default declareOperation({
  kind: "server.reboot",
  summary: "Restarts the guest: soft asks it first, hard ends it and starts it anew.",
  versions: [1],
  lane: "life",
  input: RebootInput,
  metadata: ({ hard }) => ({ $case: "rebootServer", value: { hard } }),
  result: theServer,
  methods: [{ name: "RebootServer", key: "reboot" }],
  rule: "os_compute_api:servers:reboot",
  action: "reboot",
  forms: {
    soft: {
      vmStates: [VmState.VM_STATE_ACTIVE],
      taskStates: [TaskState.none],
      taskState: TaskState.rebooting,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
    hard: {
      vmStates: [
        VmState.VM_STATE_ACTIVE,
        VmState.VM_STATE_STOPPED,
        VmState.VM_STATE_PAUSED,
        VmState.VM_STATE_SUSPENDED,
        VmState.VM_STATE_ERROR,
      ],
      taskStates: [
        TaskState.none,
        TaskState.rebooting,
        "reboot_pending",
        TaskState.rebootStarted,
        TaskState.rebootingHard,
        "resuming",
        TaskState.unpausing,
        TaskState.pausing,
        "suspending",
      ],
      taskState: TaskState.rebootingHard,
      contention: "pre-empts",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  formOf: ({ hard }) => (hard ? "hard" : "soft"),
  ends: [VmState.VM_STATE_ACTIVE],
});
