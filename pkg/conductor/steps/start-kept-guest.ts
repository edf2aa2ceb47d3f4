import type { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type {
  GuestInput,
  GuestOutput,
  PowerOnGuestInput,
} from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import keepGuestThere from "../../compute/commands/keep-guest.js";
import powerOnGuest from "../../compute/commands/power-on-guest.js";
import { toTimestamp } from "../../model/wire-time.js";
import { faultOf } from "../domain/faults.js";
import { done, operationError } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { stateBy } from "./confirm-move.js";
import { hostAt, ledOn } from "./resting-migration.js";
import { statusIs } from "./moves.js";

const { POWER_STATE_UNSPECIFIED, POWER_STATE_RUNNING, POWER_STATE_SHUTDOWN } = PowerState;

/** Tells the old host that its guest stays: from now on it may be started again. */
export const keepGuest = (ports: Ports): Step<EndMoveInput> => {
  const { name, event, timeoutMs, run } = agentStep<EndMoveInput, GuestInput, GuestOutput, never>(ports, {
    name: "keep-guest",
    event: "",
    timeoutMs: 600_000,
    command: keepGuestThere,
    host: hostAt("source"),
    input: () => ({}),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  return { name, event, timeoutMs, run };
};

/**
 * The end: the old guest runs again, unless it was off before the move. One that cannot be started is off:
 * its user sees why, and may start it.
 */
export const startKeptGuest = (ports: Ports): Step<EndMoveInput> => {
  const { name, event, timeoutMs, run } = agentStep<EndMoveInput, PowerOnGuestInput, GuestOutput, never>(
    ports,
    {
      name: "start-guest",
      event: "compute_finish_revert_resize",
      timeoutMs: 600_000,
      command: powerOnGuest,
      host: hostAt("source"),
      input: ({ instance }) => ({ instance }),
      done: (call, { powerState }, host) =>
        done({}, reverted(call, powerState), { host, consumed: agentReports(call) }),
      failed: (call, { errorReason: reason, errorMessage: message, errorDetails }, host) => {
        const change = reverted(call, POWER_STATE_SHUTDOWN);
        const error = operationError({ reason, domain: "compute", message });
        const fault = faultOf(error, errorDetails, call.now);
        return done(
          {},
          { ...change, dropFault: false, set: { ...change.set, fault } },
          { host, consumed: agentReports(call) },
        );
      },
    },
  );
  return {
    name,
    event,
    timeoutMs,
    run: async (call) => (ledOn(call).wasOff ? done({}, reverted(call, POWER_STATE_SHUTDOWN)) : run(call)),
  };
};

function reverted(call: StepCall<EndMoveInput>, told: PowerState): Change {
  const powerState = told === POWER_STATE_UNSPECIFIED ? POWER_STATE_RUNNING : told;
  return {
    set: { vmState: stateBy(powerState), powerState, launchedAt: toTimestamp(call.now) },
    dropFault: true,
    more: { migrations: [statusIs("reverted", ledOn(call).id)] },
  };
}
