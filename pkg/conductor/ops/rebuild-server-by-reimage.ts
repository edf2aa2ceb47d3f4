import rebuildServer, { REBUILD_BY_REIMAGE } from "../../model/operations/rebuild-server.js";
import { defineKind } from "../engine/kind.js";
import { checkRebuildHost } from "../steps/check-rebuild-host.js";
import { prepareRebuild, replaceDisks, spawnRebuilt } from "../steps/rebuild-guest.js";
import { reimageVolume } from "../steps/reimage-volume.js";
import { connectRoot, giveRoot, releaseRoot } from "../steps/root-volume.js";
import type { KindDeps } from "../kind-factory.js";
import { failed } from "./rebuild-server.js";

/**
 * Of a server whose root disk is a volume: when its guest is off, the host lets go of the volume, Block
 * Storage writes the image over it, and the host is connected again. Its other disks are made anew as always.
 */
export default ({ ports, reimageMsPerGib }: KindDeps) =>
  defineKind(rebuildServer, {
    version: REBUILD_BY_REIMAGE,
    steps: [
      checkRebuildHost(ports),
      prepareRebuild(ports),
      replaceDisks(ports),
      releaseRoot(ports),
      reimageVolume(ports, reimageMsPerGib),
      connectRoot(ports),
      giveRoot(ports),
      spawnRebuilt(ports),
    ],
    failed,
  });
