import { CacheHostImagesInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { declareSubjectOperation } from "../operation-declaration.js";

/** A part of `cloud.cache-images`; nobody begins it by itself. */
export default declareSubjectOperation({
  kind: "host.cache-images",
  subject: "host",
  summary: "Fetches images into a host's cache.",
  versions: [1],
  lane: "images",
  contention: "waits",
  input: CacheHostImagesInput,
  metadata: ({ imageIds }) => ({ $case: "cacheImages", value: { imageIds } }),
  methods: [],
  rule: "compute:aggregates:images",
  example: { input: { imageIds: ["1a000000-0000-4000-8000-000000000001"] } },
});
