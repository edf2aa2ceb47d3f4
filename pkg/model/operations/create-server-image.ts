import { CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { TaskState } from "../instance-states.js";
import { declareOperation } from "../operation-declaration.js";
import { IMAGE_STATES, imageOf } from "../server-image.js";

/** The version of those whose server's root disk is a volume. */
export const IMAGE_OF_VOLUMES = 2;

/** What a lock guards against is a change of the server; this changes nothing. */
export default declareOperation({
  kind: "server.create-image",
  summary: "Copies the server's root disk into a new image, while the guest goes on.",
  versions: [1, IMAGE_OF_VOLUMES],
  versionOf: ({ volumeBacked }) => (volumeBacked ? IMAGE_OF_VOLUMES : 1),
  lane: "life",
  input: CreateImageInput,
  metadata: ({ name, imageId }) => ({ $case: "createServerImage", value: { name, imageId } }),
  result: imageOf,
  methods: [{ name: "CreateServerImage", key: "createImage" }],
  rule: "os_compute_api:servers:create_image",
  action: "createImage",
  forms: {
    usual: {
      vmStates: IMAGE_STATES,
      taskStates: [TaskState.none],
      taskState: TaskState.imageSnapshotPending,
      contention: "refused",
      needsLaunch: true,
      lock: "ignores",
    },
  },
  ends: [],
  capability: "snapshot",
  example: {
    input: { imageId: "5a000000-0000-4000-8000-000000000001", name: "picture", owner: "project" },
  },
});
