import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";
import { holdingOf } from "../server-holding.js";

export default declareOperation({
  kind: "server.restore",
  summary: "Takes a deletion back that was not for good: the server counts again, and its guest runs.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "RestoreServer", key: "restore" }],
  rule: "os_compute_api:os-deferred-delete:restore",
  action: "restore",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_SOFT_DELETED],
      taskStates: [TaskState.none],
      taskState: TaskState.restoring,
      contention: "refused",
      needsLaunch: true,
      lock: "hides",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE],
  quota: ({ server }) => holdingOf(server),
});
