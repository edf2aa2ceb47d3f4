import { ShelveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";
import type { Form } from "../operation-declaration.js";
import { IMAGE_STATES } from "../server-image.js";

/** The version of those whose server's root disk is a volume. */
export const SHELVE_ON_VOLUMES = 2;

const usual: Form = {
  vmStates: IMAGE_STATES,
  taskStates: [TaskState.none],
  taskState: TaskState.shelving,
  contention: "refused",
  needsLaunch: true,
  lock: "refuses",
};

/** The server stays on its host with all that it holds until it is taken off; one on volumes leaves. */
export default declareOperation({
  kind: "server.shelve",
  summary:
    "Ends the guest and copies its root disk into an image that goes with the server; without such a disk it leaves its host.",
  versions: [1, SHELVE_ON_VOLUMES],
  versionOf: ({ image }) => (image === undefined ? SHELVE_ON_VOLUMES : 1),
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
  forms: { usual, leaving: { ...usual, alone: true } },
  formOf: ({ image }) => (image === undefined ? "leaving" : "usual"),
  ends: [VmState.VM_STATE_SHELVED, VmState.VM_STATE_SHELVED_OFFLOADED],
  // A paused or suspended guest loses its memory here.
  pivot: "let-go",
  capability: "snapshot",
  example: {
    end: VmState.VM_STATE_SHELVED,
    input: {
      image: { imageId: "5a000000-0000-4000-8000-000000000003", name: "vm-shelved", owner: "project" },
    },
  },
});
