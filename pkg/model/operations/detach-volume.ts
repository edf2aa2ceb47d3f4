import { DetachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation } from "../operation-declaration.js";
import type { Form } from "../operation-declaration.js";

/** The version of those whose server is off its host. */
export const DETACH_OFFLOADED = 2;

const offloaded: Form = {
  vmStates: [VmState.VM_STATE_SHELVED_OFFLOADED],
  taskStates: [TaskState.none],
  taskState: TaskState.none,
  contention: "waits",
  needsLaunch: true,
  lock: "refuses",
};

export default declareOperation({
  kind: "server.detach-volume",
  summary: "Takes a volume out of the server, also while the guest runs.",
  versions: [1, DETACH_OFFLOADED],
  versionOf: ({ offloaded: isOff }) => (isOff ? DETACH_OFFLOADED : 1),
  lane: "volumes",
  input: DetachVolumeInput,
  metadata: ({ volumeId }) => ({ $case: "detachVolume", value: { volumeId } }),
  methods: [{ name: "DetachVolume" }],
  rule: "os_compute_api:os-volumes-attachments:delete",
  action: "detach_volume",
  forms: {
    usual: {
      ...offloaded,
      vmStates: [
        VmState.VM_STATE_ACTIVE,
        VmState.VM_STATE_PAUSED,
        VmState.VM_STATE_STOPPED,
        VmState.VM_STATE_RESIZED,
        VmState.VM_STATE_SOFT_DELETED,
        VmState.VM_STATE_SHELVED,
      ],
      needsHost: "last",
    },
    offloaded,
  },
  formOf: ({ offloaded: isOff }) => (isOff ? "offloaded" : "usual"),
  ends: [],
  pivot: "release-volume",
  capability: "attach-volume",
  example: { input: { volumeId: "a0000000-0000-4000-8000-000000000001" } },
});
