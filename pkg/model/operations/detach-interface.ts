import { DetachInterfaceInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation } from "../operation-declaration.js";

export default declareOperation({
  kind: "server.detach-interface",
  summary: "Takes a network interface out of the server, also while the guest runs.",
  versions: [1],
  lane: "ports",
  input: DetachInterfaceInput,
  metadata: ({ portId }) => ({ $case: "detachInterface", value: { portId } }),
  methods: [{ name: "DetachInterface" }],
  rule: "os_compute_api:os-attach-interfaces:delete",
  action: "detach_interface",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_PAUSED, VmState.VM_STATE_STOPPED],
      taskStates: [TaskState.none],
      taskState: TaskState.none,
      contention: "waits",
      needsHost: "last",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [],
  pivot: "release-port",
  capability: "attach-interface",
  example: { input: { portId: "90000000-0000-4000-8000-000000000001" } },
});
