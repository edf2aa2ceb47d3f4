import { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";
import { holdingOf } from "../server-holding.js";

/** The old guest goes with its disks and its place. Nova shows no task state meanwhile. */
export default declareOperation({
  kind: "server.confirm-resize",
  summary: "Keeps the flavor and host of a resized server, and frees the old ones.",
  versions: [1],
  lane: "life",
  input: EndMoveInput,
  result: theServer,
  methods: [{ name: "ConfirmServerResize", key: "confirmResize" }],
  rule: "os_compute_api:servers:confirm_resize",
  action: "confirmResize",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_RESIZED],
      taskStates: [TaskState.none],
      taskState: TaskState.none,
      contention: "refused",
      alone: true,
      needsHost: "last",
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_STOPPED],
  // Nobody can bring back a guest that is removed.
  pivot: "destroy-guest",
  endsMigration: ({ migrationId }) => migrationId,
  quota: ({ server }) => holdingOf(server),
});
