import { z } from "zod";
import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import describeConnector from "../../compute/commands/describe-connector.js";
import { AGENT_REPORT } from "../../model/signals.js";
import { done, fail, park } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports, sendCommand } from "./agent-command.js";
import { commandFailed } from "./agent-step.js";
import { goingDevice } from "./begin-detaching.js";
import { hostOf } from "./host-of.js";
import { newAttachment } from "./reserve-new-volume.js";
import { devicesOf } from "./volume-devices.js";

const ASK_AGAIN_MS = 20_000;
const connectorJson = z.record(z.string(), z.unknown());

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
    const at = { cell: call.database, host };
    const { result, output } = await sendCommand(call, ports, at, describeConnector, {});
    if (result?.phase === CommandPhase.COMMAND_PHASE_FAILED) return commandFailed(call, result, host);
    const extra = { host, consumed: agentReports(call) };
    if (output === undefined) return park(AGENT_REPORT, ASK_AGAIN_MS, extra);
    const { deviceId } = call.outputs.get(goingDevice);
    const { attachmentId } = call.outputs.get(newAttachment);
    const device = (await devicesOf(call, ports)).find(({ id }) => id === deviceId);
    const { connectionInfo } = await ports.cinder.updateAttachment(call.ctx, attachmentId, {
      ...connectorJson.parse(JSON.parse(output.connector)),
      mountpoint: device?.deviceName ?? "",
    });
    return connectionInfo?.["encrypted"] === true
      ? fail(ConductorErrors.VOLUME_ENCRYPTED({ volume: call.input.newVolumeId }), extra)
      : done({}, undefined, extra);
  },
});
