import { z } from "zod";
import type { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import attachCommand from "../../compute/commands/attach-volume.js";
import describeConnector from "../../compute/commands/describe-connector.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import { AGENT_REPORT } from "../../model/signals.js";
import { done, fail, park } from "../engine/kind.js";
import type { Change, Step, StepCall, StepResult } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { HostRef, Ports } from "../ports.js";
import { agentReports, commandAgent, sendCommand } from "./agent-command.js";
import { commandFailed } from "./agent-step.js";
import { reservedAgain } from "./attachments.js";
import { changeOf } from "./device-change.js";
import { hostOf } from "./host-of.js";
import { insist } from "./insist.js";
import { devicesOf } from "./volume-devices.js";

type Call = StepCall<RebuildInput>;

const ASK_AGAIN_MS = 20_000;
const connectorJson = z.record(z.string(), z.unknown());

/**
 * Takes the root volume from the host, whose guest is off, without giving it to anybody: a new attachment
 * comes first, then the old one goes. Taken back, the host is connected again, whatever is on the volume by
 * then.
 */
export const releaseRoot = (ports: Ports): Step<RebuildInput> => ({
  name: "release-root-volume",
  unfenced: true,
  event: "compute_detach_root_volume",
  timeoutMs: 600_000,
  finishes: true,
  async run(call) {
    const device = await rootOf(call, ports);
    if (device === undefined) return fail(notThere(call));
    const attachmentId = await reservedAgain(call, ports, device.volumeId);
    return done({}, changed({ ...device, attachmentId, connectionInfo: "" }));
  },
  undo: (call) => connectAgain(call, ports),
});

/** Connects the host to the volume once more. */
export const connectRoot = (ports: Ports): Step<RebuildInput> => ({
  name: "connect-root-volume",
  unfenced: true,
  event: "compute_attach_root_volume",
  timeoutMs: 600_000,
  finishes: true,
  async run(call) {
    const at = { cell: call.database, host: hostOf(call) };
    const extra = { host: at.host, consumed: agentReports(call) };
    const device = await rootOf(call, ports);
    if (device === undefined) return fail(notThere(call));
    const { result, output } = await sendCommand(call, ports, at, describeConnector, {});
    if (result?.phase === CommandPhase.COMMAND_PHASE_FAILED) return commandFailed(call, result, at.host);
    if (output === undefined) return park(AGENT_REPORT, ASK_AGAIN_MS, extra);
    return done({}, changed(await connected(call, ports, device, output.connector)), extra);
  },
});

/** Tells the host how the volume is reached now; its guest is off. */
export const giveRoot = (ports: Ports): Step<RebuildInput> => ({
  name: "give-root-volume",
  event: "",
  timeoutMs: 600_000,
  finishes: true,
  async run(call): Promise<StepResult> {
    const at = { cell: call.database, host: hostOf(call) };
    const device = await rootOf(call, ports, true);
    if (device === undefined) return fail(notThere(call));
    return commandAgent(
      call,
      ports,
      at,
      attachCommand,
      { device },
      {
        done: () => done({}, undefined, { host: at.host, consumed: agentReports(call) }),
        failed: (result) => commandFailed(call, result, at.host),
      },
    );
  },
});

const rootOf = async (
  call: Call,
  ports: Pick<Ports, "records">,
  withConnections = false,
): Promise<BlockDeviceRecord | undefined> =>
  (await devicesOf(call, ports, withConnections)).find(
    ({ volumeId }) => volumeId === call.input.reimage?.volumeId,
  );

const notThere = ({ server, input }: Call): Error & ReturnType<typeof ConductorErrors.FENCE_LOST> =>
  ConductorErrors.VOLUME_ATTACHMENT_NOT_FOUND({ server: server.id, volume: input.reimage?.volumeId ?? "" });

const changed = (device: BlockDeviceRecord): Change => ({
  more: { blockDevices: [changeOf(device, ["attachment_id", "connection_info"])] },
});

/** The device as its host reaches it. @param connector  JSON */
async function connected(
  call: Call,
  { cinder }: Pick<Ports, "cinder">,
  device: BlockDeviceRecord,
  connector: string,
): Promise<BlockDeviceRecord> {
  const { attachmentId, volumeId, deviceName } = device;
  const { connectionInfo } = await cinder.updateAttachment(call.ctx, attachmentId, {
    ...connectorJson.parse(JSON.parse(connector)),
    mountpoint: deviceName,
  });
  await cinder.completeAttachment(call.ctx, attachmentId);
  const connection = { ...connectionInfo, attachment_id: attachmentId, volume_id: volumeId };
  return { ...device, connectionInfo: JSON.stringify(connection) };
}

/**
 * A rebuild that failed leaves a server that has its volume, so that it can be rebuilt again. A volume that
 * Block Storage still writes to, or has broken, stays reserved.
 */
async function connectAgain(call: Call, ports: Ports): Promise<Change | undefined> {
  const at = { cell: call.database, host: hostOf(call) };
  const device = await rootOf(call, ports);
  if (device === undefined) return undefined;
  try {
    const attachmentId = await reservedAgain(call, ports, device.volumeId);
    const kept = { ...device, attachmentId, connectionInfo: "" };
    const connector = await connectorOf(call, ports, at);
    if (connector === undefined) return changed(kept);
    const now = await connected(call, ports, kept, connector);
    const ids = { commandId: `${call.stepId}/undo-give`, undoOf: call.stepId };
    await insist(
      call,
      ports,
      at,
      async () => (await sendCommand(call, ports, at, attachCommand, { device: now }, ids)).result,
    );
    return changed(now);
  } catch (error) {
    if (!(error instanceof KilonovaError) || !["missing", "invalid", "refused"].includes(error.kind))
      throw error;
    call.ctx.log.warn("rebuild.root-volume.left-reserved", { operation: call.operation.name, error });
    return undefined;
  }
}

/** Undefined of a host that is down. */
async function connectorOf(call: Call, ports: Ports, at: HostRef): Promise<string | undefined> {
  let found: string | undefined;
  const ids = { commandId: `${call.stepId}/undo-describe`, undoOf: call.stepId };
  const isUp = await insist(call, ports, at, async () => {
    const { result, output } = await sendCommand(call, ports, at, describeConnector, {}, ids);
    found = output?.connector;
    return result;
  });
  if (isUp && found === undefined) throw CommonErrors.UNAVAILABLE({ what: "The host's connector" });
  return found;
}
