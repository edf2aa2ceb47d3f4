import attachVolume from "../../model/operations/attach-volume.js";
import { defineKind } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { attachVolume as attachToGuest } from "../steps/attach-volume.js";
import { completeVolume } from "../steps/complete-volume.js";
import { connectVolume } from "../steps/connect-volume.js";
import { reserveVolume } from "../steps/reserve-volume.js";

export default ({ ports, maxDiskDevices }: KindDeps) =>
  defineKind(attachVolume, {
    steps: [
      reserveVolume(ports, maxDiskDevices),
      connectVolume(ports),
      attachToGuest(ports),
      completeVolume(ports),
    ],
    failed: () => ({}),
  });
