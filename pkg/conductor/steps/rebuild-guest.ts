import type { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import powerOnGuest from "../../compute/commands/power-on-guest.js";
import prepareRebuildThere from "../../compute/commands/prepare-rebuild.js";
import rebuildGuestThere from "../../compute/commands/rebuild-guest.js";
import { TaskState } from "../../model/instance-states.js";
import { rebuiltFields, rebuiltRecord } from "../../model/rebuilt-record.js";
import { done } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { hostOf } from "./host-of.js";

type Call = StepCall<RebuildInput>;

const isStopped = ({ server }: Call): boolean => server.vmState === VmState.VM_STATE_STOPPED;

/** Names what is prepared, the same in both steps. */
const keyOf = ({ operation }: Call): string => operation.name;

/** Name of the step that there is no way back from, for who judges how far a rebuild came. */
export const REPLACE = "replace-disks";

/** Has the new disks made beside the old ones. The guest does not notice: its undo throws them away. */
export const prepareRebuild = (ports: Ports): Step<RebuildInput> => ({
  ...agentStep(ports, {
    name: "prepare-disks",
    event: "compute_rebuild_instance",
    taskState: TaskState.rebuildBlockDeviceMapping,
    timeoutMs: 3_600_000,
    command: prepareRebuildThere,
    host: hostOf,
    input: (call: Call) => ({
      instance: rebuiltRecord(call.instance, call.input),
      secrets: ServerSecrets.decode(call.secrets),
      key: keyOf(call),
      preserveEphemeral: call.input.preserveEphemeral,
    }),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  }),
  needs: "rebuild",
});

/**
 * Ends the old guest and puts the new disks in the place of its own. The record becomes the new server's with
 * it: the guest that starts next asks for its user data and keys at once.
 */
export const replaceDisks = (ports: Ports): Step<RebuildInput> => ({
  ...agentStep(ports, {
    name: REPLACE,
    event: "compute_replace_disks",
    timeoutMs: 600_000,
    command: rebuildGuestThere,
    host: hostOf,
    input: (call: Call) => ({ key: keyOf(call), softTimeoutMs: ports.softTimeoutMs }),
    done: (call: Call, _output, host) => done({}, rebuilt(call), { host, consumed: agentReports(call) }),
    failed: commandFailed,
  }),
  needs: "rebuild",
});

function rebuilt({ input, server, secrets }: Call): Change {
  const { spec, specMask } = input;
  return {
    set: { ...rebuiltFields(server, input), powerState: PowerState.POWER_STATE_SHUTDOWN },
    more: {
      spec,
      specMask,
      ...(input.newUserData ? { userData: ServerSecrets.decode(secrets).userData } : {}),
    },
  };
}

/** Starts the new guest, unless the old one was stopped. Begun, it is not cut short: there is no way back. */
export const spawnRebuilt = (ports: Ports): Step<RebuildInput> => {
  const step = agentStep(ports, {
    name: "spawn-guest",
    event: "compute_spawn_guest",
    taskState: TaskState.rebuildSpawning,
    timeoutMs: 600_000,
    command: powerOnGuest,
    host: hostOf,
    input: ({ instance }: Call) => ({ instance }),
    done: (call, { powerState }, host) =>
      done(
        {},
        {
          set: {
            vmState: VmState.VM_STATE_ACTIVE,
            powerState:
              powerState === PowerState.POWER_STATE_UNSPECIFIED ? PowerState.POWER_STATE_RUNNING : powerState,
          },
          dropFault: true,
        },
        { host, consumed: agentReports(call) },
      ),
    failed: commandFailed,
  });
  return {
    ...step,
    finishes: true,
    run: async (call) => (isStopped(call) ? done({}, { dropFault: true }) : step.run(call)),
  };
};
