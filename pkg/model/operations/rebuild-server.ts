import { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { TaskState } from "../instance-states.js";
import { declareOperation, theServer } from "../operation-declaration.js";

const IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b";

/** The version of those that write an image over a root volume. */
export const REBUILD_BY_REIMAGE = 2;

/**
 * Starts over on the same host. It shares nothing with an evacuation: no step of it moves a server, makes a
 * migration, or touches what the server holds in placement.
 */
export default declareOperation({
  kind: "server.rebuild",
  summary: "Makes the guest anew from an image; its host, ports and allocation stay.",
  versions: [1, REBUILD_BY_REIMAGE],
  versionOf: ({ reimage }) => (reimage === undefined ? 1 : REBUILD_BY_REIMAGE),
  lane: "life",
  input: RebuildInput,
  secrets: ServerSecrets,
  metadata: ({ imageId, spec, preserveEphemeral }) => ({
    $case: "rebuildServer",
    value: { imageId: imageId || (spec?.image?.id ?? ""), preserveEphemeral },
  }),
  result: theServer,
  methods: [{ name: "RebuildServer", key: "rebuild" }],
  rule: "os_compute_api:servers:rebuild",
  action: "rebuild",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_STOPPED, VmState.VM_STATE_ERROR],
      taskStates: [TaskState.none],
      taskState: TaskState.rebuilding,
      contention: "refused",
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_STOPPED],
  capability: "rebuild",
  example: {
    input: {
      server: { image: { id: IMAGE }, name: "anew" },
      serverMask: ["image", "name"],
      spec: { image: { id: IMAGE, diskFormat: "raw" } },
      specMask: ["image"],
      newUserData: true,
      otherImage: true,
    },
    secrets: { adminPassword: "correct horse battery staple" },
  },
});
