import { CreateBackupInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { TaskState } from "../instance-states.js";
import { declareOperation } from "../operation-declaration.js";
import { IMAGE_STATES, imageOf } from "../server-image.js";

/** Once its image is there, the backups that are too many go: nothing is taken back any more. */
export default declareOperation({
  kind: "server.create-backup",
  summary: "Copies the server's root disk into a new image, and deletes the oldest backups of its type.",
  versions: [1],
  lane: "life",
  input: CreateBackupInput,
  metadata: ({ image, backupType, rotation }) => ({
    $case: "createServerBackup",
    value: { name: image?.name ?? "", imageId: image?.imageId ?? "", backupType, rotation },
  }),
  result: imageOf,
  methods: [{ name: "CreateServerBackup", key: "createBackup" }],
  rule: "os_compute_api:os-create-backup",
  action: "createBackup",
  forms: {
    usual: {
      vmStates: IMAGE_STATES,
      taskStates: [TaskState.none],
      taskState: TaskState.imageBackup,
      contention: "refused",
      needsLaunch: true,
      lock: "ignores",
    },
  },
  ends: [],
  pivot: "rotate-backups",
  capability: "snapshot",
  example: {
    input: {
      image: { imageId: "5a000000-0000-4000-8000-000000000002", name: "picture", owner: "project" },
      backupType: "daily",
      rotation: 1,
    },
  },
});
