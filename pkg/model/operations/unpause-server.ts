import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

export default declareOperation({
  kind: "server.unpause",
  summary: "Lets a paused guest go on.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "UnpauseServer", key: "unpause" }],
  rule: "os_compute_api:os-pause-server:unpause",
  action: "unpause",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_PAUSED],
      taskStates: [TaskState.none],
      taskState: TaskState.unpausing,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE],
  capability: "pause",
});
