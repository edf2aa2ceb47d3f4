import type { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { GuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import destroyGuestThere from "../../compute/commands/destroy-guest.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { hostAt } from "./resting-migration.js";

/**
 * Removes the guest with its disks at one end of a move. A host that is down is waited for: nobody else can
 * say that the guest is gone.
 */
export const destroyHalf = (
  ports: Ports,
  { end, event }: { readonly end: "source" | "target"; readonly event: string },
): Step<EndMoveInput> => {
  const { name, timeoutMs, run } = agentStep<EndMoveInput, GuestInput, GuestOutput, never>(ports, {
    name: "destroy-guest",
    event,
    timeoutMs: 600_000,
    command: destroyGuestThere,
    host: hostAt(end),
    input: () => ({}),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  // Nothing brings a guest back that is removed.
  return { name, event, timeoutMs, run };
};
