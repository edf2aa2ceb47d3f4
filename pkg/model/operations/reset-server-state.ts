import { ResetStateInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";
import { holdingOf } from "../server-holding.js";

/**
 * The way out for a server that is stuck. What was under way ends with it, so that nothing writes the record
 * afterwards; only a deletion goes on, since it cannot go back.
 */
export default declareOperation({
  kind: "server.reset-state",
  summary: "Sets the record's state by an operator's word, and ends what was under way.",
  versions: [1],
  lane: "life",
  input: ResetStateInput,
  metadata: ({ vmState }) => ({ $case: "resetServerState", value: { vmState } }),
  result: theServer,
  methods: [{ name: "ResetServerState", key: "os-resetState" }],
  rule: "os_compute_api:os-admin-actions:reset_state",
  action: "resetState",
  forms: {
    usual: {
      taskState: TaskState.none,
      contention: "pre-empts-all",
      yieldsTo: ["server.delete"],
      lock: "ignores",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_ERROR],
  instant: ({ input: { vmState } }) => ({ vmState, taskState: TaskState.none }),
  event: "api_reset_state",
  quota: ({ server }) => holdingOf(server),
  example: { input: { vmState: VmState.VM_STATE_ERROR } },
});
