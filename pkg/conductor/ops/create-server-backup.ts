import { CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { CreateBackupInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import createServerBackup from "../../model/operations/create-server-backup.js";
import { defineKind } from "../engine/kind.js";
import { keepsItsState } from "../steps/guest-step.js";
import { rotateBackups } from "../steps/rotate-backups.js";
import { snapshotImage } from "../steps/snapshot-image.js";
import type { KindDeps } from "../kind-factory.js";

export default ({ ports }: KindDeps) =>
  defineKind(createServerBackup, {
    steps: [
      ...snapshotImage(ports, ({ image }: CreateBackupInput) => image ?? CreateImageInput.fromPartial({}), {
        event: "compute_backup_instance",
      }),
      rotateBackups(ports),
    ],
    failed: keepsItsState,
  });
