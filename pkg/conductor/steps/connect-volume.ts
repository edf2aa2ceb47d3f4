import type { AttachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { done, fail } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { commandFailed } from "./agent-step.js";
import { chosenDevice } from "./choose-device.js";
import { askConnector, connectionChange, connectionOf } from "./connection.js";
import { reservedVolume } from "./reserve-volume.js";

/**
 * Tells the Block Storage service who connects, and keeps what it answers: how the volume is reached from the
 * host. What takes it back is the end of the attachment.
 */
export const connectVolume = (ports: Ports): Step<AttachVolumeInput> => ({
  name: "connect-volume",
  unfenced: true,
  event: "",
  timeoutMs: 600_000,
  needs: "attach-volume",
  async run(call) {
    const host = call.server.hostInfo?.host ?? "";
    if (host === "") return fail(ConductorErrors.HOST_NOT_REGISTERED({ host }));
    const { deviceId: id, ...device } = call.outputs.get(chosenDevice);
    const { attachmentId } = call.outputs.get(reservedVolume);
    return askConnector(call, ports, host, {
      failed: (result) => commandFailed(call, result, host),
      done: async (connector) => {
        const connection = await connectionOf(call, ports, { ...device, attachmentId }, connector);
        if (connection === undefined)
          return fail(ConductorErrors.VOLUME_ENCRYPTED({ volume: device.volumeId }));
        const blockDevices = [connectionChange(BlockDeviceRecord.fromPartial({ id }), connection)];
        return done({}, { more: { blockDevices } }, { host, consumed: agentReports(call) });
      },
    });
  },
});
