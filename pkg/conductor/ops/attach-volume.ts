import attachVolume from "../../model/operations/attach-volume.js";
import { defineKind } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { attachVolume as attachToGuest } from "../steps/attach-volume.js";
import { chooseDevice } from "../steps/choose-device.js";
import { completeVolume } from "../steps/complete-volume.js";
import { connectVolume } from "../steps/connect-volume.js";
import { reserveVolume } from "../steps/reserve-volume.js";

export default ({ ports, maxDiskDevices }: KindDeps) =>
  defineKind(attachVolume, {
    version: 1,
    steps: [
      chooseDevice(ports, maxDiskDevices),
      reserveVolume(ports),
      connectVolume(ports),
      attachToGuest(ports),
      completeVolume(ports),
    ],
    failed: () => ({}),
  });
