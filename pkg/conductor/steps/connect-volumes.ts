import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { KilonovaError } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import { done, fail } from "../engine/kind.js";
import type { Change, Step, StepCall, StepResult } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { reservedAgain } from "./attachments.js";
import { askConnector, connectionChange, connectionOf } from "./connection.js";
import type { Connector } from "./connection.js";
import { claimedHost } from "./destinations.js";
import { changeOf } from "./device-change.js";
import { isOnVolume } from "./prepare-volumes.js";
import { devicesOf } from "./volume-devices.js";

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
    const extra = { host, consumed: agentReports(call) };
    return askConnector(call, ports, host, {
      failed: ({ errorReason: reason, errorMessage: message, errorDetails: details }) =>
        fail({ reason, domain: "compute", message }, { ...extra, details, backTo: claimedHost.step }),
      done: (connector) => connected(call, ports, connector, extra),
    });
  },

  undo: async (call) => letGo(call, ports),
});

async function connected(
  call: StepCall,
  { cinder, records }: Ports,
  connector: Connector,
  extra: { readonly host: string; readonly consumed: readonly string[] },
): Promise<StepResult> {
  const changes = [];
  for (const device of (await devicesOf(call, { records })).filter(isOnVolume)) {
    const connection = await connectionOf(call, { cinder }, device, connector);
    if (connection === undefined)
      return fail(ConductorErrors.VOLUME_ENCRYPTED({ volume: device.volumeId }), extra);
    await cinder.completeAttachment(call.ctx, device.attachmentId);
    changes.push(connectionChange(device, connection));
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
