import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import powerOffGuest from "../../compute/commands/power-off-guest.js";
import softDeleteServer from "../../model/operations/soft-delete-server.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { guestStep } from "./guest-step.js";

/** Powers the guest off without asking it first, as in Nova: who restores the server starts it anew. */
export const endAtOnce = <I>(ports: Ports): Step<I> =>
  guestStep<I, Parameters<typeof powerOffGuest.run>[1], never>(ports, softDeleteServer, {
    name: "power-off",
    event: "compute_soft_delete_instance",
    timeoutMs: 600_000,
    command: powerOffGuest,
    input: () => ({ softTimeoutMs: 0 }),
    power: PowerState.POWER_STATE_SHUTDOWN,
  });
