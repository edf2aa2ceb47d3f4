import { UnshelveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";
import type { Form } from "../operation-declaration.js";

/** The version of those that look for a host. */
export const UNSHELVE_OFFLOADED = 2;

const from = (vmState: VmState): Form => ({
  vmStates: [vmState],
  taskStates: [TaskState.none],
  taskState: TaskState.unshelving,
  contention: "refused",
  needsLaunch: true,
  lock: "refuses",
});

/** A server that has its host starts there; one that was taken off is placed again, and built anew. */
export default declareOperation({
  kind: "server.unshelve",
  summary: "Starts a shelved server, on its host or on a new one, and deletes the image of its shelving.",
  versions: [1, UNSHELVE_OFFLOADED],
  versionOf: ({ offloaded }) => (offloaded ? UNSHELVE_OFFLOADED : 1),
  lane: "life",
  input: UnshelveInput,
  // Of one that is built anew: for its config drive.
  secrets: ServerSecrets,
  result: theServer,
  methods: [{ name: "UnshelveServer", key: "unshelve" }],
  rule: "os_compute_api:os-shelve:unshelve",
  action: "unshelve",
  forms: {
    here: from(VmState.VM_STATE_SHELVED),
    elsewhere: { ...from(VmState.VM_STATE_SHELVED_OFFLOADED), alone: true },
  },
  formOf: ({ offloaded }) => (offloaded ? "elsewhere" : "here"),
  ends: [VmState.VM_STATE_ACTIVE],
  example: { secrets: { userData: "I2Nsb3VkLWNvbmZpZwo=" } },
});
