import { z } from "zod";
import type { AttachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import describeConnector from "../../compute/commands/describe-connector.js";
import { AGENT_REPORT } from "../../model/signals.js";
import { done, fail, park } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports, sendCommand } from "./agent-command.js";
import { commandFailed } from "./agent-step.js";
import { chosenDevice } from "./choose-device.js";
import { reservedVolume } from "./reserve-volume.js";

const ASK_AGAIN_MS = 20_000;
const connectorJson = z.record(z.string(), z.unknown());

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
    const at = { cell: call.database, host };
    const { result, output } = await sendCommand(call, ports, at, describeConnector, {});
    if (result?.phase === CommandPhase.COMMAND_PHASE_FAILED) return commandFailed(call, result, host);
    if (output === undefined) return park(AGENT_REPORT, ASK_AGAIN_MS, { host, consumed: agentReports(call) });
    const { attachmentId } = call.outputs.get(reservedVolume);
    const { deviceId, deviceName, volumeId } = call.outputs.get(chosenDevice);
    const { connectionInfo } = await ports.cinder.updateAttachment(call.ctx, attachmentId, {
      ...connectorJson.parse(JSON.parse(output.connector)),
      mountpoint: deviceName,
    });
    if (connectionInfo?.["encrypted"] === true)
      return fail(ConductorErrors.VOLUME_ENCRYPTED({ volume: volumeId }));
    const connection = { ...connectionInfo, attachment_id: attachmentId, volume_id: volumeId };
    return done(
      {},
      {
        more: {
          blockDevices: [
            {
              device: BlockDeviceRecord.fromPartial({
                id: deviceId,
                connectionInfo: JSON.stringify(connection),
              }),
              updateMask: ["connection_info"],
              remove: false,
            },
          ],
        },
      },
      { host, consumed: agentReports(call) },
    );
  },
});
