import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

export default declareOperation({
  kind: "server.suspend",
  summary: "Writes the guest's memory to its host's disk and ends it.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "SuspendServer", key: "suspend" }],
  rule: "os_compute_api:os-suspend-server:suspend",
  action: "suspend",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_ACTIVE],
      taskStates: [TaskState.none],
      taskState: TaskState.suspending,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_SUSPENDED],
  capability: "suspend",
});
