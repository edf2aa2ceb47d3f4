import { LockInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { ServerLock } from "../../../gen/kilonova/type/v1/server.js";
import type { Acceptable } from "../operation-declaration.js";
import { declareOperation, theServer } from "../operation-declaration.js";
import { orNone } from "../presence.js";
import { partyOf } from "../server-lock.js";

/** Locking again changes nothing, not even the reason; only an administrator's lock replaces an owner's. */
function lockOf({ server, input, actor }: Acceptable<LockInput>): { lock: ServerLock } | undefined {
  const lockedBy = partyOf(server, actor);
  if (server.lock !== undefined && (lockedBy === "owner" || server.lock.lockedBy === lockedBy))
    return undefined;
  return { lock: { lockedBy, reason: orNone(input.reason) } };
}

export default declareOperation({
  kind: "server.lock",
  summary: "Keeps tenants from changing the server.",
  versions: [1],
  lane: "life",
  input: LockInput,
  metadata: ({ reason }) => ({ $case: "lockServer", value: { reason: orNone(reason) } }),
  result: theServer,
  methods: [{ name: "LockServer", key: "lock" }],
  rule: "os_compute_api:os-lock-server:lock",
  action: "lock",
  forms: { usual: { taskState: "", contention: "refused", lock: "ignores" } },
  ends: [],
  instant: lockOf,
  event: "api_lock",
  example: { input: { reason: "under investigation" } },
});
