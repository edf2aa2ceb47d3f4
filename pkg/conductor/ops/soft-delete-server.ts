import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import powerOffGuest from "../../compute/commands/power-off-guest.js";
import softDeleteServer from "../../model/operations/soft-delete-server.js";
import { defineKind } from "../engine/kind.js";
import { guestStep, keepsItsState } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

/** The guest is not asked first, as in Nova: who restores the server starts it anew. */
export default ({ ports }: KindDeps) =>
  defineKind(softDeleteServer, {
    steps: [
      guestStep(ports, softDeleteServer, {
        name: "power-off",
        event: "compute_soft_delete_instance",
        timeoutMs: 600_000,
        command: powerOffGuest,
        input: () => ({ softTimeoutMs: 0 }),
        power: PowerState.POWER_STATE_SHUTDOWN,
      }),
    ],
    failed: keepsItsState,
  });
