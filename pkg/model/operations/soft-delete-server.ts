import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation, theServer } from "../operation-declaration.js";

/**
 * A deletion that can be taken back: the guest is powered off, everything else stays, and the server counts
 * no more in its project's quota. Nova calls the action "delete", as for good. Never begun by its name:
 * `server.delete` becomes it.
 */
export default declareOperation({
  kind: "server.soft-delete",
  summary: "Powers the guest off and keeps the server until it is restored or reclaimed.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  result: theServer,
  methods: [],
  rule: "os_compute_api:servers:delete",
  action: "delete",
  forms: {
    usual: {
      taskState: TaskState.softDeleting,
      contention: "pre-empts-all",
      joins: ["server.delete"],
      needsHost: true,
      needsLaunch: true,
      lock: "refuses",
    },
  },
  ends: [VmState.VM_STATE_SOFT_DELETED],
  quota: () => ({ instances: 0, cores: 0, ram: 0 }),
});
