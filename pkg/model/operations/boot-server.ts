import { BootInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../instance-states.js";
import { orNone } from "../presence.js";
import { declareOperation, theServer } from "../operation-declaration.js";

/** The version of boots that make, connect and give volumes. */
export const BOOT_WITH_VOLUMES = 2;

/** A new server. What it shall be is in its record: version 2 is for those that are built with volumes. */
export default declareOperation({
  kind: "server.boot",
  summary: "Finds a host, makes ports and disks, and starts the guest.",
  versions: [1, BOOT_WITH_VOLUMES],
  lane: "life",
  input: BootInput,
  metadata: ({ name, flavorId, imageId }) => ({
    $case: "createServer",
    value: { name, flavorId, imageId: orNone(imageId) },
  }),
  result: theServer,
  methods: [{ name: "CreateServers" }],
  rule: "os_compute_api:servers:create",
  action: "create",
  forms: {
    usual: {
      vmStates: [VmState.VM_STATE_BUILDING],
      taskState: TaskState.scheduling,
      contention: "refused",
      lock: "ignores",
    },
  },
  ends: [VmState.VM_STATE_ACTIVE],
  example: { input: { name: "vm1", flavorId: "1", imageId: "70a599e0-31e7-49b7-b260-868f441e862b" } },
});
