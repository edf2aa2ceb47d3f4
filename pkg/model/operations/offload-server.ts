import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

/** What it needs to come back is its image, its ports and its volumes; disks of its host alone are lost. */
export default declareOperation({
  kind: "server.offload",
  summary: "Takes a shelved server off its host, which is free for others.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "OffloadServer", key: "shelveOffload" }],
  rule: "os_compute_api:os-shelve:shelve_offload",
  action: "shelveOffload",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_SHELVED],
      taskStates: [TaskState.none],
      taskState: TaskState.shelvingOffloading,
      contention: "refused",
      alone: true,
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_SHELVED_OFFLOADED],
  // There is no guest any more that could be started again.
  pivot: "let-go",
});
