import { ExtendVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { declareOperation } from "../operation-declaration.js";

/** The Block Storage service's news, begun by its external event. */
export default declareOperation({
  kind: "server.extend-volume",
  summary: "Has the server see that one of its volumes has grown.",
  versions: [1],
  lane: "volumes",
  input: ExtendVolumeInput,
  metadata: ({ volumeId }) => ({ $case: "extendVolume", value: { volumeId } }),
  // CreateExternalEvents begins it, one for each event; that method is declared with another kind.
  methods: [],
  rule: "os_compute_api:os-server-external-events:create",
  action: "extend_volume",
  forms: { usual: { taskState: "", contention: "waits", lock: "ignores", needsHost: "last" } },
  ends: [],
  capability: "extend-volume",
  example: { input: { volumeId: "a0000000-0000-4000-8000-000000000001" } },
});
