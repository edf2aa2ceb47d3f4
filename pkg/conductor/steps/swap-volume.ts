import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import swapCommand from "../../compute/commands/swap-volume.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports, cancelCommand, commandAgent, sendCommand } from "./agent-command.js";
import { commandFailed } from "./agent-step.js";
import { goingDevice } from "./begin-detaching.js";
import { hostOf } from "./host-of.js";
import { insist } from "./insist.js";
import { newAttachment } from "./reserve-new-volume.js";
import { devicesOf } from "./volume-devices.js";

/** Its block device with the volume that it gets, and how that is reached: never to be logged. */
export async function newDevice(
  call: StepCall<SwapVolumeInput>,
  ports: Pick<Ports, "cinder" | "records">,
): Promise<BlockDeviceRecord | undefined> {
  const { deviceId } = call.outputs.get(goingDevice);
  const { attachmentId } = call.outputs.get(newAttachment);
  const { newVolumeId: volumeId } = call.input;
  const device = (await devicesOf(call, ports)).find(({ id }) => id === deviceId);
  if (device === undefined) return undefined;
  const { connectionInfo } = await ports.cinder.getAttachment(call.ctx, attachmentId);
  const connection = { ...connectionInfo, attachment_id: attachmentId, volume_id: volumeId };
  return { ...device, volumeId, attachmentId, connectionInfo: JSON.stringify(connection) };
}

/**
 * Copies the volume, and lets the guest go on with the new one. Taken back, what is on the new one by then is
 * copied to the old one again: the guest may have written to it.
 */
export const swapVolume = (ports: Ports): Step<SwapVolumeInput> => ({
  name: "swap",
  event: "compute_swap_volume",
  timeoutMs: 24 * 3_600_000,
  needs: "migrate-volume",
  async run(call) {
    const host = hostOf(call);
    if (host === "") return fail(ConductorErrors.HOST_NOT_REGISTERED({ host }));
    const { volumeId } = call.input;
    const device = await newDevice(call, ports);
    if (device === undefined)
      return fail(ConductorErrors.VOLUME_ATTACHMENT_NOT_FOUND({ server: call.server.id, volume: volumeId }));
    return commandAgent(
      call,
      ports,
      { cell: call.database, host },
      swapCommand,
      { volumeId, device },
      {
        done: () => done({}, undefined, { host, consumed: agentReports(call) }),
        failed: (result) => commandFailed(call, result, host),
      },
    );
  },
  async undo(call) {
    const at = { cell: call.database, host: hostOf(call) };
    if (at.host === "") return undefined;
    const { volumeId, newVolumeId } = call.input;
    let isDone = false;
    await insist(
      call,
      ports,
      at,
      async () => {
        const result = await cancelCommand(call, ports, at, call.stepId);
        isDone = result.phase === CommandPhase.COMMAND_PHASE_DONE;
        return result;
      },
      (phase) => phase !== CommandPhase.COMMAND_PHASE_STARTED,
    );
    // One that failed or was cut short has left the guest with the old one.
    if (!isDone) return undefined;
    const device = (await devicesOf(call, ports, true)).find((one) => one.volumeId === volumeId);
    const ids = { commandId: `${call.stepId}/back` };
    await insist(
      call,
      ports,
      at,
      async () =>
        (await sendCommand(call, ports, at, swapCommand, { volumeId: newVolumeId, device }, ids)).result,
    );
    return undefined;
  },
});
