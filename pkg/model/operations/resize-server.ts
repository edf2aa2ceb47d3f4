import { MigrationKind } from "../../../gen/kilonova/cells/v1/server_records.js";
import { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";
import { holdingOf, largerOf } from "../server-holding.js";

/**
 * Another flavor, on another host: the old guest stays where it was, off, until the owner confirms or
 * reverts. Meanwhile the server holds of its project's quota what the larger of both flavors needs.
 */
export default declareOperation({
  kind: "server.resize",
  summary: "Moves the server, off, to another host and flavor; what it was stays until that is confirmed.",
  versions: [1],
  lane: "life",
  input: MoveInput,
  metadata: ({ flavor }) => ({ $case: "resizeServer", value: { flavorId: flavor?.id ?? "" } }),
  result: theServer,
  methods: [{ name: "ResizeServer", key: "resize" }],
  rule: "os_compute_api:servers:resize",
  action: "resize",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_STOPPED],
      taskStates: [TaskState.none],
      taskState: TaskState.resizePrep,
      contention: "refused",
      alone: true,
      needsHost: "last",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_RESIZED],
  capability: "move",
  quota: ({ server, input: { flavor } }) => largerOf(holdingOf(server), holdingOf({ flavor })),
  migration: ({ server, input: { flavor } }) => ({
    kind: MigrationKind.MIGRATION_KIND_RESIZE,
    oldFlavor: server.flavor,
    newFlavor: flavor,
    wasOff: server.vmState === VmState.VM_STATE_STOPPED,
  }),
  example: { input: { flavor: { id: "2", name: "m2.lean", vcpus: 2, memoryMib: 256, rootGib: 1 } } },
});
