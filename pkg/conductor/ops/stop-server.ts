import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import powerOffGuest from "../../compute/commands/power-off-guest.js";
import stopServer from "../../model/operations/stop-server.js";
import { defineKind } from "../engine/kind.js";
import { guestStep, keepsItsState } from "../steps/guest-step.js";
import { softTimeoutMs } from "../steps/soft-timeout.js";
import type { KindDeps } from "../kind-factory.js";

export default ({ ports }: KindDeps) =>
  defineKind(stopServer, {
    steps: [
      guestStep(ports, stopServer, {
        name: "power-off",
        event: "compute_stop_instance",
        timeoutMs: 600_000,
        command: powerOffGuest,
        input: ({ instance }) => ({ softTimeoutMs: softTimeoutMs(instance, ports) }),
        power: PowerState.POWER_STATE_SHUTDOWN,
      }),
    ],
    failed: keepsItsState,
  });
