import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import suspendGuest from "../../compute/commands/suspend-guest.js";
import suspendServer from "../../model/operations/suspend-server.js";
import { defineKind } from "../engine/kind.js";
import { guestStep, keepsItsState } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

/** Nova puts a server in error that could not be suspended; its guest goes on here, so it keeps its state. */
export default ({ ports }: KindDeps) =>
  defineKind(suspendServer, {
    steps: [
      guestStep(ports, suspendServer, {
        name: "suspend",
        event: "compute_suspend_instance",
        timeoutMs: 3_600_000,
        command: suspendGuest,
        input: ({ instance }) => ({ instance }),
        power: PowerState.POWER_STATE_SUSPENDED,
      }),
    ],
    failed: keepsItsState,
  });
