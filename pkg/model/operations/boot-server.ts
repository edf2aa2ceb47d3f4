import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation } from "../operation-declaration.js";

/** A new server. What it shall be is in its record. */
export default declareOperation({
  kind: "server.boot",
  summary: "Finds a host, makes ports and disks, and starts the guest.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  methods: [{ name: "CreateServers" }],
  rule: "os_compute_api:servers:create",
  action: "create",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_BUILDING],
      taskState: TaskState.scheduling,
      contention: "refused",
      lock: "ignores",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE],
});
