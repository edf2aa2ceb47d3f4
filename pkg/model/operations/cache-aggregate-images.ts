import { CacheAggregateImagesInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { declareSubjectOperation } from "../operation-declaration.js";

/** Images on many hosts before servers need them: an operation of each host's own, a few at a time. */
export default declareSubjectOperation({
  kind: "cloud.cache-images",
  subject: "cloud",
  summary: "Has the hosts of an aggregate fetch images, a few hosts at a time.",
  versions: [1],
  lane: "images",
  contention: "waits",
  input: CacheAggregateImagesInput,
  metadata: ({ imageIds }) => ({ $case: "cacheImages", value: { imageIds } }),
  methods: [{ name: "CacheAggregateImages" }],
  rule: "compute:aggregates:images",
  example: { input: { imageIds: ["1a000000-0000-4000-8000-000000000001"] } },
});
