import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import unpauseGuest from "../../compute/commands/unpause-guest.js";
import unpauseServer from "../../model/operations/unpause-server.js";
import { defineKind } from "../engine/kind.js";
import { guestStep, keepsItsState } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

export default ({ ports }: KindDeps) =>
  defineKind(unpauseServer, {
    steps: [
      guestStep(ports, unpauseServer, {
        name: "unpause",
        event: "compute_unpause_instance",
        timeoutMs: 600_000,
        command: unpauseGuest,
        input: () => ({}),
        power: PowerState.POWER_STATE_RUNNING,
      }),
    ],
    failed: keepsItsState,
  });
