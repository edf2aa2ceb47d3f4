import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import swapVolume from "../../model/operations/swap-volume.js";
import { defineKind } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { beginDetaching } from "../steps/begin-detaching.js";
import { connectNewVolume } from "../steps/connect-new-volume.js";
import { endOldAttachment } from "../steps/end-old-attachment.js";
import { completeNewVolume } from "../steps/complete-new-volume.js";
import { finishMigration } from "../steps/finish-migration.js";
import { keepVolumeId } from "../steps/keep-volume-id.js";
import { reportFailedMigration } from "../steps/report-failed-migration.js";
import { reserveNewVolume } from "../steps/reserve-new-volume.js";
import { swapVolume as swapInGuest } from "../steps/swap-volume.js";

/**
 * Once the guest goes on with the new volume there is only forward. Before that everything is taken back, the
 * copy too, and the Block Storage service is told that the migration has failed.
 */
export default ({ ports }: KindDeps) =>
  defineKind(swapVolume, {
    steps: [
      reportFailedMigration(ports),
      beginDetaching<SwapVolumeInput>(ports, { root: true }),
      reserveNewVolume(ports),
      connectNewVolume(ports),
      swapInGuest(ports),
      completeNewVolume(ports),
      endOldAttachment(ports),
      finishMigration(ports),
      keepVolumeId(ports),
    ],
    failed: () => ({}),
  });
