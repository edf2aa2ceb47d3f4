import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import pauseGuest from "../../compute/commands/pause-guest.js";
import pauseServer from "../../model/operations/pause-server.js";
import { defineKind } from "../engine/kind.js";
import { guestStep, keepsItsState } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

export default ({ ports }: KindDeps) =>
  defineKind(pauseServer, {
    steps: [
      guestStep(ports, pauseServer, {
        name: "pause",
        event: "compute_pause_instance",
        timeoutMs: 600_000,
        command: pauseGuest,
        input: () => ({}),
        power: PowerState.POWER_STATE_PAUSED,
      }),
    ],
    failed: keepsItsState,
  });
