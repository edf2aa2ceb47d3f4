import attachVolume, { ATTACH_OFFLOADED } from "../../model/operations/attach-volume.js";
import { defineKind } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { chooseDevice } from "../steps/choose-device.js";
import { reserveVolume } from "../steps/reserve-volume.js";

/** There is no guest yet: the volume is the server's, and comes into its guest with the unshelving. */
export default ({ ports, maxDiskDevices }: KindDeps) =>
  defineKind(attachVolume, {
    version: ATTACH_OFFLOADED,
    steps: [chooseDevice(ports, maxDiskDevices), { ...reserveVolume(ports), event: "api_attach_volume" }],
    failed: () => ({}),
  });
