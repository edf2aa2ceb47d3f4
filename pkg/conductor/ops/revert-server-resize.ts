import revertServerResize from "../../model/operations/revert-server-resize.js";
import { defineKind } from "../engine/kind.js";
import { awaitLanes } from "../steps/await-lanes.js";
import { destroyHalf } from "../steps/destroy-half.js";
import { keepsItsState } from "../steps/guest-step.js";
import { readRestingMigration } from "../steps/resting-migration.js";
import { returnPorts } from "../steps/return-ports.js";
import { returnVolumes } from "../steps/return-volumes.js";
import { keepGuest, startKeptGuest } from "../steps/start-kept-guest.js";
import { takeOverSource } from "../steps/take-over-source.js";
import type { KindDeps } from "../kind-factory.js";

/**
 * The new guest goes first, so that there are never two that may run; from then on the old one is all that
 * there is, and everything comes back to it.
 */
export default ({ ports, factsOf }: KindDeps) =>
  defineKind(revertServerResize, {
    steps: [
      awaitLanes(ports),
      readRestingMigration(ports, { status: "reverting", needs: ["source", "target"] }),
      destroyHalf(ports, { end: "target", event: "compute_revert_resize" }),
      takeOverSource(ports),
      returnVolumes(ports),
      returnPorts({ neutron: ports.neutron, factsOf }),
      keepGuest(ports),
      startKeptGuest(ports),
    ],
    failed: keepsItsState,
  });
