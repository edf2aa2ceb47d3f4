import { z } from "zod";
import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall, StepResult } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { heldAgain } from "./attachments.js";
import { askConnector, connectionOf } from "./connection.js";
import type { Connector } from "./connection.js";
import { claimedHost } from "./destinations.js";
import { changeOf } from "./device-change.js";
import { giveVolumes } from "./give-volumes.js";
import { hostOf } from "./host-of.js";
import { isOnVolume } from "./prepare-volumes.js";
import { devicesOf } from "./volume-devices.js";

/** The volumes that the guest had when it left: its old host knows them still. */
export const movedVolumes = outputOf("move-volumes", z.object({ volumeIds: z.array(z.string()) }));

/**
 * Connects the destination to the server's volumes, in the place of the host that it leaves: there the guest
 * is off. Taken back, that host is connected again, and told how.
 */
export const moveVolumes = (ports: Ports): Step<MoveInput> => ({
  name: movedVolumes.step,
  unfenced: true,
  event: "",
  timeoutMs: 600_000,

  async run(call) {
    const { host } = call.outputs.get(claimedHost).host;
    const devices = (await devicesOf(call, ports)).filter(isOnVolume);
    if (devices.length === 0) return done({ volumeIds: [] });
    const extra = { host, consumed: agentReports(call) };
    return askConnector(call, ports, host, {
      failed: ({ errorReason: reason, errorMessage: message, errorDetails: details }) =>
        fail({ reason, domain: "compute", message }, { ...extra, details, backTo: claimedHost.step }),
      done: (connector) => connected(call, ports, { devices, connector }, extra),
    });
  },

  undo: (call) => giveVolumes(call, ports, { cell: call.database, host: hostOf(call) }),
});

async function connected(
  call: StepCall<MoveInput>,
  ports: Pick<Ports, "cinder">,
  { devices, connector }: { readonly devices: readonly BlockDeviceRecord[]; readonly connector: Connector },
  extra: { readonly host: string; readonly consumed: readonly string[] },
): Promise<StepResult> {
  const changes = [];
  for (const device of devices) {
    const attachmentId = await heldAgain(call, ports, device.volumeId);
    const connectionInfo = await connectionOf(call, ports, { ...device, attachmentId }, connector);
    if (connectionInfo === undefined)
      return fail(ConductorErrors.VOLUME_ENCRYPTED({ volume: device.volumeId }), extra);
    await ports.cinder.completeAttachment(call.ctx, attachmentId);
    changes.push(changeOf({ ...device, attachmentId, connectionInfo }, ["attachment_id", "connection_info"]));
  }
  return done(
    { volumeIds: devices.map(({ volumeId }) => volumeId) },
    { more: { blockDevices: changes } },
    extra,
  );
}
