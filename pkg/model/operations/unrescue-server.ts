import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

/** Ends in ACTIVE also for a server that was stopped before its rescue, as in Nova. */
export default declareOperation({
  kind: "server.unrescue",
  summary: "Starts a rescued guest from its own disk again.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "UnrescueServer", key: "unrescue" }],
  rule: "os_compute_api:os-unrescue",
  action: "unrescue",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_RESCUED],
      taskStates: [TaskState.none],
      taskState: TaskState.unrescuing,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE],
  capability: "rescue",
});
