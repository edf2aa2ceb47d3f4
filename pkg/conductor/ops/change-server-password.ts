import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { ChangePasswordSecrets } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import setGuestPassword from "../../compute/commands/set-guest-password.js";
import changeServerPassword from "../../model/operations/change-server-password.js";
import { defineKind } from "../engine/kind.js";
import { guestStep, keepsItsState } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

export default ({ ports }: KindDeps) =>
  defineKind(changeServerPassword, {
    steps: [
      guestStep(ports, changeServerPassword, {
        name: "set-password",
        event: "compute_set_admin_password",
        timeoutMs: 120_000,
        command: setGuestPassword,
        input: ({ secrets }) => ({ adminPassword: ChangePasswordSecrets.decode(secrets).adminPassword }),
        power: PowerState.POWER_STATE_RUNNING,
      }),
    ],
    failed: keepsItsState,
  });
