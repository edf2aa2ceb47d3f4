import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { done, fail } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { commandFailed } from "./agent-step.js";
import { goingDevice } from "./begin-detaching.js";
import { askConnector, connectionOf } from "./connection.js";
import { hostOf } from "./host-of.js";
import { newAttachment } from "./reserve-new-volume.js";
import { devicesOf } from "./volume-devices.js";

/**
 * Connects the server's host to the new volume. How it is reached is asked of the Block Storage service where
 * it is needed: until the copy is whole the record tells how the old one is. The attachment's end takes it
 * back.
 */
export const connectNewVolume = (ports: Ports): Step<SwapVolumeInput> => ({
  name: "connect-new-volume",
  unfenced: true,
  event: "",
  timeoutMs: 600_000,
  async run(call) {
    const host = hostOf(call);
    if (host === "") return fail(ConductorErrors.HOST_NOT_REGISTERED({ host }));
    const { deviceId } = call.outputs.get(goingDevice);
    const { attachmentId } = call.outputs.get(newAttachment);
    const volumeId = call.input.newVolumeId;
    const extra = { host, consumed: agentReports(call) };
    return askConnector(call, ports, host, {
      failed: (result) => commandFailed(call, result, host),
      done: async (connector) => {
        const deviceName = (await devicesOf(call, ports)).find(({ id }) => id === deviceId)?.deviceName ?? "";
        const connection = await connectionOf(call, ports, { attachmentId, volumeId, deviceName }, connector);
        return connection === undefined
          ? fail(ConductorErrors.VOLUME_ENCRYPTED({ volume: volumeId }), extra)
          : done({}, undefined, extra);
      },
    });
  },
});
