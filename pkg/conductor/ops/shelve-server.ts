import type { CreateImageInput, ShelveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { CommonErrors } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import shelveServer from "../../model/operations/shelve-server.js";
import { defineKind } from "../engine/kind.js";
import { keepsItsState } from "../steps/guest-step.js";
import { letGo, shutDown } from "../steps/shelve-guest.js";
import { snapshotImage } from "../steps/snapshot-image.js";
import type { KindDeps } from "../kind-factory.js";

function imageOf({ image }: ShelveInput): CreateImageInput {
  if (image === undefined) throw CommonErrors.INVALID_ARGUMENT({ field: "image", problem: "must be given" });
  return image;
}

/**
 * The image is made first, so that a quota that is used up stops no guest. What fails before the end leaves
 * the server as it was: it is started again where it ran, and keeps its memory where it was paused or
 * suspended.
 */
export default ({ ports }: KindDeps) => {
  const [create, ...copy] = snapshotImage(ports, imageOf, {
    copying: TaskState.shelvingImagePendingUpload,
    describing: TaskState.shelvingImagePendingUpload,
    uploading: TaskState.shelvingImageUploading,
    event: "compute_snapshot_instance",
  });
  return defineKind(shelveServer, {
    version: 1,
    steps: [create, shutDown(ports), ...copy, letGo(ports, imageOf)],
    failed: keepsItsState,
  });
};
