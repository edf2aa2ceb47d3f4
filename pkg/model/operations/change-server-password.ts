import { ChangePasswordSecrets } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

export default declareOperation({
  kind: "server.change-password",
  summary: "Has the agent inside the guest set its administrator's password.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  secrets: ChangePasswordSecrets,
  result: theServer,
  methods: [{ name: "ChangeServerPassword", key: "changePassword" }],
  rule: "os_compute_api:os-admin-password",
  action: "changePassword",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_ACTIVE],
      taskStates: [TaskState.none],
      taskState: TaskState.updatingPassword,
      contention: "refused",
      needsLaunch: true,
      needsGuestAgent: true,
      lock: "hides",
    },
  },
  ends: [],
  capability: "set-admin-password",
  example: { secrets: { adminPassword: "correct horse battery staple" } },
});
