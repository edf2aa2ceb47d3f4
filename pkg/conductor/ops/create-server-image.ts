import createServerImage from "../../model/operations/create-server-image.js";
import { TaskState } from "../../model/instance-states.js";
import { defineKind } from "../engine/kind.js";
import { keepsItsState } from "../steps/guest-step.js";
import { snapshotImage } from "../steps/snapshot-image.js";
import type { KindDeps } from "../kind-factory.js";

export default ({ ports }: KindDeps) =>
  defineKind(createServerImage, {
    version: 1,
    steps: snapshotImage(ports, (input) => input, {
      copying: TaskState.imageSnapshot,
      event: "compute_snapshot_instance",
    }),
    failed: keepsItsState,
  });
