import createServerImage, { IMAGE_OF_VOLUMES } from "../../model/operations/create-server-image.js";
import { defineKind } from "../engine/kind.js";
import { keepsItsState } from "../steps/guest-step.js";
import { nameSnapshots } from "../steps/name-snapshots.js";
import { quiesceGuest, unquiesceGuest } from "../steps/quiesce-guest.js";
import { createImage } from "../steps/snapshot-image.js";
import { snapshotVolumes } from "../steps/snapshot-volumes.js";
import type { KindDeps } from "../kind-factory.js";

/** Of a server whose root disk is a volume: its image has no data, and names snapshots of all its volumes. */
export default ({ ports }: KindDeps) =>
  defineKind(createServerImage, {
    version: IMAGE_OF_VOLUMES,
    steps: [
      createImage(ports, (input) => input),
      quiesceGuest(ports),
      snapshotVolumes(ports),
      unquiesceGuest(ports),
      nameSnapshots(ports),
    ],
    failed: keepsItsState,
  });
