import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

export default declareOperation({
  kind: "server.stop",
  summary: "Powers a server off; the guest is asked first.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "StopServer", key: "os-stop" }],
  rule: "os_compute_api:servers:stop",
  action: "stop",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_ERROR],
      taskStates: [TaskState.none],
      taskState: TaskState.poweringOff,
      contention: "refused",
      needsHost: "first",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_STOPPED],
});
