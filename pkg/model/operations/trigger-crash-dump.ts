import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

/** Nova shows no task state of it, so it keeps nobody from beginning something else. */
export default declareOperation({
  kind: "server.trigger-crash-dump",
  summary: "Interrupts the guest so that its kernel dumps its memory, if it is set up so.",
  versions: [1],
  lane: "interrupts",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "TriggerCrashDump", key: "trigger_crash_dump" }],
  rule: "os_compute_api:servers:trigger_crash_dump",
  action: "trigger_crash_dump",
  forms: {
    usual: {
      vmStates: [
        VmState.VM_STATE_ACTIVE,
        VmState.VM_STATE_PAUSED,
        VmState.VM_STATE_RESCUED,
        VmState.VM_STATE_RESIZED,
        VmState.VM_STATE_ERROR,
      ],
      taskStates: [TaskState.none],
      taskState: TaskState.none,
      contention: "waits",
      needsHost: "first",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [],
  capability: "inject-nmi",
});
