import { AttachInterfaceInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation } from "../operation-declaration.js";
import { orNone } from "../presence.js";

export default declareOperation({
  kind: "server.attach-interface",
  summary: "Puts a network interface into the server, also while the guest runs.",
  versions: [1],
  lane: "ports",
  input: AttachInterfaceInput,
  metadata: ({ networkId, portId, fixedIp, tag }) => ({
    $case: "attachInterface",
    value: {
      networkId: orNone(networkId),
      portId: orNone(portId),
      fixedIp: orNone(fixedIp),
      tag: orNone(tag),
    },
  }),
  result: ({ server, outputOf }) => ({
    $case: "interface",
    value: {
      serverId: server.id,
      portId: (outputOf("bind-port") as { readonly portId?: string } | undefined)?.portId ?? "",
    },
  }),
  methods: [{ name: "AttachInterface" }],
  rule: "os_compute_api:os-attach-interfaces:create",
  action: "attach_interface",
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
  capability: "attach-interface",
  example: { input: { networkId: "4e000000-0000-4000-8000-000000000001" } },
});
