import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import powerOffGuest from "../../compute/commands/power-off-guest.js";
import stopServer from "../../model/operations/stop-server.js";
import { defineKind } from "../engine/kind.js";
import { guestStep, keepsItsState } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

/** Milliseconds that an image asks for (`os_shutdown_timeout` is in seconds), or the deployment's. */
const softTimeoutMs = (property: string | undefined, usual: number): number => {
  const seconds = Number(property);
  return property !== undefined && property !== "" && Number.isInteger(seconds) && seconds >= 0
    ? seconds * 1000
    : usual;
};

export default ({ ports }: KindDeps) =>
  defineKind(stopServer, {
    steps: [
      guestStep(ports, stopServer, {
        name: "power-off",
        event: "compute_stop_instance",
        timeoutMs: 600_000,
        command: powerOffGuest,
        input: ({ instance }) => ({
          softTimeoutMs: softTimeoutMs(
            instance.spec?.image?.properties.get("os_shutdown_timeout"),
            ports.softTimeoutMs,
          ),
        }),
        power: PowerState.POWER_STATE_SHUTDOWN,
      }),
    ],
    failed: keepsItsState,
  });
