import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import powerOnGuest from "../../compute/commands/power-on-guest.js";
import unshelveServer from "../../model/operations/unshelve-server.js";
import { defineKind } from "../engine/kind.js";
import { guestStep, keepsItsState } from "../steps/guest-step.js";
import { endsShelving } from "../steps/shelved-image.js";
import type { KindDeps } from "../kind-factory.js";

/** A server that cannot be started stays shelved, and its image stays with it. */
export default ({ ports }: KindDeps) =>
  defineKind(unshelveServer, {
    version: 1,
    steps: [
      endsShelving(
        ports,
        guestStep(ports, unshelveServer, {
          name: "power-on",
          event: "compute_start_instance",
          timeoutMs: 600_000,
          command: powerOnGuest,
          input: ({ instance }) => ({ instance }),
          power: PowerState.POWER_STATE_RUNNING,
        }),
      ),
    ],
    failed: keepsItsState,
  });
