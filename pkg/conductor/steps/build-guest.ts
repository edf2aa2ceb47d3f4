import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import buildGuestThere from "../../compute/commands/build-guest.js";
import { toTimestamp } from "../../model/wire-time.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall, StepResult } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep } from "./agent-step.js";
import { claimedHost } from "./destinations.js";
import { isOnVolume } from "./prepare-volumes.js";
import { devicesOf } from "./volume-devices.js";

/** Failures that no other host would cure. @source conductor-workflows §1, failure class "abort" */
const HOPELESS: ReadonlySet<string> = new Set([
  "IMAGE_REFUSED",
  "IMAGE_NOT_ACTIVE",
  "IMAGE_NOT_CONVERTIBLE",
  "IMAGE_NOT_FOUND",
  "IMAGE_CHANGED",
  "FLAVOR_DISK_TOO_SMALL",
  "UNSUPPORTED_HARDWARE",
]);

/** Has the host's agent build and start the guest. When the host cannot, the next alternate gets its turn. */
export const buildGuest = (ports: Ports): Step => buildStep(ports, []);

/**
 * As `buildGuest`, of a guest with volumes. How they are reached is read from their records for each start.
 */
export const buildGuestOnVolumes = (ports: Ports): Step => ({
  ...buildStep(ports, []),
  run: async (call) => {
    const volumes = (await devicesOf(call, ports, true)).filter(isOnVolume);
    return buildStep(ports, volumes).run(call);
  },
});

const buildStep = (ports: Ports, volumes: readonly BlockDeviceRecord[]): Step =>
  agentStep(ports, {
    name: "build-guest",
    event: "compute__do_build_and_run_instance",
    taskState: "spawning",
    timeoutMs: 3_600_000,
    command: buildGuestThere,
    host: ({ outputs }) => outputs.find(claimedHost)?.host.host ?? "",
    input: ({ instance, secrets }) => ({
      instance,
      // No host acts with a user's rights.
      secrets: secrets.length === 0 ? undefined : { ...ServerSecrets.decode(secrets), userToken: "" },
      volumes: [...volumes],
    }),
    done: active,
    failed,
  });

function active(call: StepCall, output: GuestOutput, host: string): StepResult {
  const powerState =
    output.powerState === PowerState.POWER_STATE_UNSPECIFIED
      ? PowerState.POWER_STATE_RUNNING
      : output.powerState;
  const set = {
    vmState: VmState.VM_STATE_ACTIVE,
    powerState,
    launchedAt: call.server.launchedAt ?? toTimestamp(call.now),
  };
  return done({ host }, { set, dropFault: true }, { host, consumed: agentReports(call) });
}

function failed(
  call: StepCall,
  { errorReason, errorMessage, errorDetails }: CommandResult,
  host: string,
): StepResult {
  const error = { reason: errorReason, domain: "compute", message: errorMessage };
  const common = { details: errorDetails, host, consumed: agentReports(call) };
  return HOPELESS.has(errorReason)
    ? fail(error, common)
    : fail(error, { ...common, backTo: claimedHost.step });
}
