import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

export default declareOperation({
  kind: "server.start",
  summary: "Powers a stopped server on.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "StartServer", key: "os-start" }],
  rule: "os_compute_api:servers:start",
  action: "start",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_STOPPED],
      taskStates: [TaskState.none],
      taskState: TaskState.poweringOn,
      contention: "refused",
      needsHost: "first",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE],
});
