import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

export default declareOperation({
  kind: "server.pause",
  summary: "Freezes the guest in memory.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "PauseServer", key: "pause" }],
  rule: "os_compute_api:os-pause-server:pause",
  action: "pause",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_ACTIVE],
      taskStates: [TaskState.none],
      taskState: TaskState.pausing,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_PAUSED],
  capability: "pause",
});
