import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

/** Where it stands. A server that was taken off its host has to be placed again, which is no part of this. */
export default declareOperation({
  kind: "server.unshelve",
  summary: "Starts a shelved server on its host, and deletes the image of its shelving.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "UnshelveServer", key: "unshelve" }],
  rule: "os_compute_api:os-shelve:unshelve",
  action: "unshelve",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_SHELVED],
      taskStates: [TaskState.none],
      taskState: TaskState.unshelving,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE],
});
