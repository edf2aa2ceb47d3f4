import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import attachCommand from "../../compute/commands/attach-volume.js";
import describeConnector from "../../compute/commands/describe-connector.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import type { Change, StepCall } from "../engine/kind.js";
import type { HostRef, Ports } from "../ports.js";
import { sendCommand } from "./agent-command.js";
import { heldAgain } from "./attachments.js";
import { connectionOf, readConnector } from "./connection.js";
import type { Connector } from "./connection.js";
import { changeOf } from "./device-change.js";
import { insist } from "./insist.js";
import { isOnVolume } from "./prepare-volumes.js";
import { devicesOf } from "./volume-devices.js";

/**
 * Connects a host to all volumes of the server once more, and tells it how its guest, which is off, reaches
 * them. Repeatable: each time with new attachments, under whose ids the host is told. A volume that somebody
 * has deleted or taken meanwhile stays out.
 * @returns what changes
 * @throws UNAVAILABLE, also while the host is down: its guest could not start with what it was told before
 */
export async function giveVolumes(call: StepCall<unknown>, ports: Ports, at: HostRef): Promise<Change> {
  const devices = (await devicesOf(call, ports)).filter(isOnVolume);
  if (devices.length === 0) return {};
  const connector = await connectorOf(call, ports, at);
  const changed: BlockDeviceRecord[] = [];
  for (const device of devices) changed.push(...(await give(call, ports, at, device, connector)));
  return {
    more: { blockDevices: changed.map((one) => changeOf(one, ["attachment_id", "connection_info"])) },
  };
}

async function give(
  call: StepCall<unknown>,
  ports: Ports,
  at: HostRef,
  device: BlockDeviceRecord,
  connector: Connector,
): Promise<BlockDeviceRecord[]> {
  let reserved: BlockDeviceRecord | undefined;
  try {
    const attachmentId = await heldAgain(call, ports, device.volumeId);
    reserved = { ...device, attachmentId, connectionInfo: "" };
    const connectionInfo = await connectionOf(call, ports, reserved, connector);
    if (connectionInfo === undefined) return [reserved];
    await ports.cinder.completeAttachment(call.ctx, attachmentId);
    const given = { ...reserved, connectionInfo };
    const ids = { commandId: `${call.stepId}/give/${attachmentId}` };
    const isGiven = await insist(
      call,
      ports,
      at,
      async () => (await sendCommand(call, ports, at, attachCommand, { device: given }, ids)).result,
    );
    if (!isGiven) throw CommonErrors.UNAVAILABLE({ what: "A host of the server" });
    return [given];
  } catch (error) {
    if (!(error instanceof KilonovaError) || !OVER.has(error.kind)) throw error;
    const { volumeId } = device;
    call.ctx.log.warn("move.volume.left", { operation: call.operation.name, volumeId, error });
    return reserved === undefined ? [] : [reserved];
  }
}

/** What another attempt would not change. */
const OVER: ReadonlySet<string> = new Set(["missing", "invalid", "refused"]);

/** @throws UNAVAILABLE, also while the host is down */
async function connectorOf(call: StepCall<unknown>, ports: Ports, at: HostRef): Promise<Connector> {
  let found: Connector | undefined;
  const ids = { commandId: `${call.stepId}/describe` };
  await insist(call, ports, at, async () => {
    const { result, output } = await sendCommand(call, ports, at, describeConnector, {}, ids);
    found = output && readConnector(output.connector);
    return result;
  });
  if (found === undefined) throw CommonErrors.UNAVAILABLE({ what: "The host's connector" });
  return found;
}
