import { z } from "zod";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import describeConnector from "../../compute/commands/describe-connector.js";
import { KilonovaError } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import { AGENT_REPORT } from "../../model/signals.js";
import { done, fail, park } from "../engine/kind.js";
import type { Change, Step, StepCall, StepResult } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports, sendCommand } from "./agent-command.js";
import { reservedAgain } from "./attachments.js";
import { claimedHost } from "./destinations.js";
import { changeOf } from "./device-change.js";
import { isOnVolume } from "./prepare-volumes.js";
import { devicesOf } from "./volume-devices.js";

const ASK_AGAIN_MS = 20_000;
const connectorJson = z.record(z.string(), z.unknown());

/**
 * Connects the claimed host to the volumes of a new server, and tells that the server has them. What is taken
 * back is the connection: the volumes stay reserved for the next host.
 */
export const connectVolumes = (ports: Ports): Step => ({
  name: "connect-volumes",
  unfenced: true,
  event: "compute_prep_block_device",
  taskState: TaskState.blockDeviceMapping,
  timeoutMs: 600_000,

  async run(call) {
    const { host } = call.outputs.get(claimedHost).host;
    const at = { cell: call.database, host };
    const { result, output } = await sendCommand(call, ports, at, describeConnector, {});
    const extra = { host, consumed: agentReports(call) };
    if (result?.phase === CommandPhase.COMMAND_PHASE_FAILED)
      return fail(
        { reason: result.errorReason, domain: "compute", message: result.errorMessage },
        { ...extra, details: result.errorDetails, backTo: claimedHost.step },
      );
    if (output === undefined) return park(AGENT_REPORT, ASK_AGAIN_MS, extra);
    return connected(call, ports, connectorJson.parse(JSON.parse(output.connector)), extra);
  },

  undo: async (call) => letGo(call, ports),
});

async function connected(
  call: StepCall,
  { cinder, records }: Ports,
  connector: Readonly<Record<string, unknown>>,
  extra: { readonly host: string; readonly consumed: readonly string[] },
): Promise<StepResult> {
  const changes = [];
  for (const device of (await devicesOf(call, { records })).filter(isOnVolume)) {
    const { attachmentId, volumeId, deviceName } = device;
    const { connectionInfo } = await cinder.updateAttachment(call.ctx, attachmentId, {
      ...connector,
      mountpoint: deviceName,
    });
    if (connectionInfo?.["encrypted"] === true)
      return fail(ConductorErrors.VOLUME_ENCRYPTED({ volume: volumeId }), extra);
    await cinder.completeAttachment(call.ctx, attachmentId);
    const connection = { ...connectionInfo, attachment_id: attachmentId, volume_id: volumeId };
    changes.push(changeOf({ ...device, connectionInfo: JSON.stringify(connection) }, ["connection_info"]));
  }
  return done({}, { more: { blockDevices: changes } }, extra);
}

/** A volume that is gone meanwhile, or somebody else's, cannot be reserved again: the next host finds out. */
async function letGo(call: StepCall, { cinder, records }: Ports): Promise<Change> {
  const changes = [];
  for (const device of (await devicesOf(call, { records })).filter(isOnVolume)) {
    const attachmentId = await again(call, { cinder }, device);
    changes.push(
      changeOf({ ...device, attachmentId, connectionInfo: "" }, ["attachment_id", "connection_info"]),
    );
  }
  return { more: { blockDevices: changes } };
}

async function again(
  call: StepCall,
  ports: Pick<Ports, "cinder">,
  { volumeId, attachmentId }: BlockDeviceRecord,
): Promise<string> {
  try {
    return await reservedAgain(call, ports, volumeId);
  } catch (error) {
    if (!(error instanceof KilonovaError) || !["missing", "invalid"].includes(error.kind)) throw error;
    await ports.cinder.deleteAttachment(call.ctx, attachmentId);
    return "";
  }
}
