import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { NOTHING, declareOperation } from "../operation-declaration.js";

/**
 * The end of a server, from every state and in the middle of everything. Nova calls the action "delete" in
 * the timeline, whoever asked in which way.
 */
export default declareOperation({
  kind: "server.delete",
  summary: "Removes guest, ports and allocation, whatever was being done to the server.",
  versions: [1],
  lane: "life",
  input: NOTHING,
  methods: [
    { name: "DeleteServer", deferrable: true },
    { name: "ForceDeleteServer", key: "forceDelete" },
  ],
  deferral: "server.soft-delete",
  rule: "os_compute_api:servers:delete",
  action: "delete",
  forms: {
    usual: { taskState: TaskState.deleting, contention: "pre-empts-all", lock: "refuses" },
  },
  ends: [VmState.VM_STATE_DELETED],
  pivot: "destroy-guest",
});
