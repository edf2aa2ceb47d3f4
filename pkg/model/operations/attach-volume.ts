import { AttachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation } from "../operation-declaration.js";
import type { Form } from "../operation-declaration.js";
import { orNone } from "../presence.js";

/** The version of those whose server is off its host. */
export const ATTACH_OFFLOADED = 2;

const offloaded: Form = {
  vmStates: [VmState.VM_STATE_SHELVED_OFFLOADED],
  taskStates: [TaskState.none],
  taskState: TaskState.none,
  contention: "waits",
  needsLaunch: true,
  lock: "refuses",
};

export default declareOperation({
  kind: "server.attach-volume",
  summary: "Puts a volume into the server, also while the guest runs.",
  versions: [1, ATTACH_OFFLOADED],
  versionOf: ({ offloaded: isOff }) => (isOff ? ATTACH_OFFLOADED : 1),
  lane: "volumes",
  input: AttachVolumeInput,
  metadata: ({ volumeId, device, tag, deleteOnTermination }) => ({
    $case: "attachVolume",
    value: { volumeId, device: orNone(device), tag: orNone(tag), deleteOnTermination },
  }),
  result: ({ server, outputOf }) => {
    const chosen = outputOf("choose-device") as
      { readonly volumeId?: string; readonly deviceName?: string } | undefined;
    return {
      $case: "volume",
      value: {
        serverId: server.id,
        volumeId: chosen?.volumeId ?? "",
        device: chosen?.deviceName ?? "",
      },
    };
  },
  methods: [{ name: "AttachVolume" }],
  rule: "os_compute_api:os-volumes-attachments:create",
  action: "attach_volume",
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
  capability: "attach-volume",
  example: { input: { volumeId: "a0000000-0000-4000-8000-000000000001" } },
});
