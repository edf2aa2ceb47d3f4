import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

export default declareOperation({
  kind: "server.unlock",
  summary: "Takes the lock away, and its reason.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [{ name: "UnlockServer", key: "unlock" }],
  rule: "os_compute_api:os-lock-server:unlock",
  action: "unlock",
  forms: { usual: { taskState: "", contention: "refused", lock: "ignores" } },
  ends: [],
  instant: ({ server }) => (server.lock === undefined ? undefined : { lock: undefined }),
  event: "api_unlock",
});
