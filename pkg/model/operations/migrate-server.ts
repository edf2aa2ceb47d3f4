import { MigrationKind } from "../../../gen/kilonova/cells/v1/server_records.js";
import { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";

/** As a resize, with the flavor that the server has. What is asked for names hosts: no owner may see it. */
export default declareOperation({
  kind: "server.migrate",
  summary: "Moves the server, off, to another host; what it was stays until that is confirmed.",
  versions: [1],
  lane: "life",
  input: MoveInput,
  result: theServer,
  methods: [{ name: "MigrateServer", key: "migrate" }],
  rule: "os_compute_api:os-migrate-server:migrate",
  action: "migrate",
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
  migration: ({ server }) => ({
    kind: MigrationKind.MIGRATION_KIND_MIGRATION,
    wasOff: server.vmState === VmState.VM_STATE_STOPPED,
  }),
});
