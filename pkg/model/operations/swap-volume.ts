import { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation } from "../operation-declaration.js";

/** A volume migrates: the Block Storage service has made the new one, and asks for the copy. */
export default declareOperation({
  kind: "server.swap-volume",
  summary: "Copies a migrating volume of the server to another one, with which the guest goes on.",
  versions: [1],
  lane: "volumes",
  input: SwapVolumeInput,
  metadata: ({ volumeId, newVolumeId }) => ({ $case: "swapVolume", value: { volumeId, newVolumeId } }),
  methods: [{ name: "UpdateVolumeAttachment" }],
  rule: "os_compute_api:os-volumes-attachments:swap",
  action: "swap_volume",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_PAUSED, VmState.VM_STATE_RESIZED],
      taskStates: [TaskState.none],
      taskState: TaskState.none,
      contention: "waits",
      needsHost: "last",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [],
  pivot: "complete-new-volume",
  capability: "migrate-volume",
  example: {
    input: {
      volumeId: "a0000000-0000-4000-8000-000000000001",
      newVolumeId: "a0000000-0000-4000-8000-000000000002",
    },
  },
});
