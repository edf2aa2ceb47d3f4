import { RescueInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";

/** From another image than its own, so that its disk can be mended. */
export default declareOperation({
  kind: "server.rescue",
  summary: "Ends the guest and starts it from a rescue image, with its own disk beside it.",
  versions: [1],
  lane: "life",
  input: RescueInput,
  secrets: ServerSecrets,
  metadata: ({ image }) => ({ $case: "rescueServer", value: { imageId: image?.id ?? "" } }),
  result: theServer,
  methods: [{ name: "RescueServer", key: "rescue" }],
  rule: "os_compute_api:os-rescue",
  action: "rescue",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_STOPPED, VmState.VM_STATE_ERROR],
      taskStates: [TaskState.none],
      taskState: TaskState.rescuing,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_RESCUED],
  capability: "rescue",
  example: {
    input: { image: { id: "70a599e0-31e7-49b7-b260-868f441e862b" } },
    secrets: { adminPassword: "correct horse battery staple" },
  },
});
