import type { DetachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import detachVolume, { DETACH_OFFLOADED } from "../../model/operations/detach-volume.js";
import { defineKind } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { goingVolume } from "../steps/begin-detaching.js";
import { releaseVolume } from "../steps/release-volume.js";

/** No host has the volume, which is only reserved: the Block Storage service does not call that detaching. */
export default ({ ports }: KindDeps) =>
  defineKind(detachVolume, {
    version: DETACH_OFFLOADED,
    steps: [goingVolume<DetachVolumeInput>(ports), { ...releaseVolume(ports), event: "api_detach_volume" }],
    failed: () => ({}),
  });
