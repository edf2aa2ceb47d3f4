import { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";
import { holdingOf } from "../server-holding.js";

/** The new guest goes with its disks, and what happened to them; the old one is the server again. */
export default declareOperation({
  kind: "server.revert-resize",
  summary: "Takes a resized server back to its old flavor and host.",
  versions: [1],
  lane: "life",
  input: EndMoveInput,
  result: theServer,
  methods: [{ name: "RevertServerResize", key: "revertResize" }],
  rule: "os_compute_api:servers:revert_resize",
  action: "revertResize",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_RESIZED],
      taskStates: [TaskState.none],
      taskState: TaskState.resizeReverting,
      contention: "refused",
      alone: true,
      needsHost: "last",
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_STOPPED],
  // What the guest has written since the move is gone from here on.
  pivot: "destroy-guest",
  endsMigration: ({ migrationId }) => migrationId,
  quota: ({ server, migration }) => holdingOf({ flavor: migration?.oldFlavor ?? server.flavor }),
});
