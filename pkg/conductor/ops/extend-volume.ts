import extendVolume from "../../model/operations/extend-volume.js";
import { defineKind } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { extendVolume as extendInGuest } from "../steps/extend-volume.js";
import { readVolumeSize } from "../steps/read-volume-size.js";

export default ({ ports }: KindDeps) =>
  defineKind(extendVolume, { steps: [readVolumeSize(ports), extendInGuest(ports)], failed: () => ({}) });
