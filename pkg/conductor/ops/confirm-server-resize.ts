import confirmServerResize from "../../model/operations/confirm-server-resize.js";
import { defineKind } from "../engine/kind.js";
import { awaitLanes } from "../steps/await-lanes.js";
import { confirmMove } from "../steps/confirm-move.js";
import { destroyHalf } from "../steps/destroy-half.js";
import { keepsItsState } from "../steps/guest-step.js";
import { readRestingMigration } from "../steps/resting-migration.js";
import type { KindDeps } from "../kind-factory.js";

/** Without the host that the server has left nothing is begun: it stays resized, and may be asked again. */
export default ({ ports }: KindDeps) =>
  defineKind(confirmServerResize, {
    steps: [
      awaitLanes(ports),
      readRestingMigration(ports, { status: "confirming", needs: ["source"] }),
      destroyHalf(ports, { end: "source", event: "compute_confirm_resize" }),
      confirmMove(ports),
    ],
    failed: keepsItsState,
  });
