import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { GuestOutput, PowerOnGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import powerOnGuest from "../../compute/commands/power-on-guest.js";
import { TaskState } from "../../model/instance-states.js";
import { toTimestamp } from "../../model/wire-time.js";
import { done } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { claimedHost } from "./destinations.js";
import { ownMigrationId, readMigration, statusIs } from "./moves.js";

/** Once it has begun, the guest may run there. */
export const START_GUEST = "start-guest";

const { POWER_STATE_UNSPECIFIED, POWER_STATE_RUNNING, POWER_STATE_SHUTDOWN } = PowerState;

/** The end: the guest runs at its new host, unless it was off before, and its owner decides. */
export const startMovedGuest = (ports: Ports): Step<MoveInput> => {
  const step = agentStep<MoveInput, PowerOnGuestInput, GuestOutput, never>(ports, {
    name: START_GUEST,
    event: "",
    taskState: TaskState.resizeFinish,
    timeoutMs: 600_000,
    command: powerOnGuest,
    host: ({ outputs }) => outputs.find(claimedHost)?.host.host ?? "",
    input: ({ instance }) => ({ instance }),
    done: (call, { powerState }, host) =>
      done({}, resized(call, powerState), { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  return {
    ...step,
    async run(call) {
      const { wasOff } = await readMigration(call, ports, ownMigrationId(call));
      return wasOff ? done({}, resized(call, POWER_STATE_SHUTDOWN)) : step.run(call);
    },
  };
};

const resized = ({ now }: StepCall, powerState: PowerState): Change => ({
  set: {
    vmState: VmState.VM_STATE_RESIZED,
    powerState: powerState === POWER_STATE_UNSPECIFIED ? POWER_STATE_RUNNING : powerState,
    launchedAt: toTimestamp(now),
  },
  dropFault: true,
  more: { migrations: [statusIs("finished")] },
});
