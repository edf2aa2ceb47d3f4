import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

export default declareOperation({
  kind: "server.resume",
  summary: "Lets a suspended guest go on where it stood.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "ResumeServer", key: "resume" }],
  rule: "os_compute_api:os-suspend-server:resume",
  action: "resume",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_SUSPENDED],
      taskStates: [TaskState.none],
      taskState: TaskState.resuming,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE],
  capability: "suspend",
});
