import { ShelveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";
import { IMAGE_STATES } from "../server-image.js";

/** The server stays on its host with all that it holds, as in Nova until it is taken off. */
export default declareOperation({
  kind: "server.shelve",
  summary: "Ends the guest and copies its root disk into an image that goes with the server.",
  versions: [1],
  lane: "life",
  input: ShelveInput,
  metadata: ({ image }) => ({
    $case: "shelveServer",
    value: { name: image?.name ?? "", imageId: image?.imageId ?? "" },
  }),
  result: theServer,
  methods: [{ name: "ShelveServer", key: "shelve" }],
  rule: "os_compute_api:os-shelve:shelve",
  action: "shelve",
  forms: {
    usual: {
      vmStates: IMAGE_STATES,
      taskStates: [TaskState.none],
      taskState: TaskState.shelving,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_SHELVED],
  // A paused or suspended guest loses its memory here.
  pivot: "let-go",
  capability: "snapshot",
  example: {
    input: {
      image: { imageId: "5a000000-0000-4000-8000-000000000003", name: "vm-shelved", owner: "project" },
    },
  },
});
