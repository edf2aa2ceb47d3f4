import detachVolume from "../../model/operations/detach-volume.js";
import { defineKind } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { beginDetaching } from "../steps/begin-detaching.js";
import { detachVolume as detachFromGuest } from "../steps/detach-volume.js";
import { releaseVolume } from "../steps/release-volume.js";

export default ({ ports }: KindDeps) =>
  defineKind(detachVolume, {
    version: 1,
    steps: [beginDetaching(ports), detachFromGuest(ports), releaseVolume(ports)],
    failed: () => ({}),
  });
