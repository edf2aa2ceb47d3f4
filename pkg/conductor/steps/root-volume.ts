import type { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import attachCommand from "../../compute/commands/attach-volume.js";
import describeConnector from "../../compute/commands/describe-connector.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import { done, fail } from "../engine/kind.js";
import type { Change, Step, StepCall, StepResult } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { HostRef, Ports } from "../ports.js";
import { agentReports, commandAgent, sendCommand } from "./agent-command.js";
import { commandFailed } from "./agent-step.js";
import { heldAgain, reservedAgain } from "./attachments.js";
import { askConnector, connectionOf, readConnector } from "./connection.js";
import type { Connector } from "./connection.js";
import { changeOf } from "./device-change.js";
import { hostOf } from "./host-of.js";
import { insist } from "./insist.js";
import { devicesOf } from "./volume-devices.js";

type Call = StepCall<RebuildInput>;

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
    const host = hostOf(call);
    const device = await rootOf(call, ports);
    if (device === undefined) return fail(notThere(call));
    return askConnector(call, ports, host, {
      failed: (result) => commandFailed(call, result, host),
      done: async (connector) => {
        const now = await connected(call, ports, device, connector);
        const extra = { host, consumed: agentReports(call) };
        return now === undefined
          ? fail(ConductorErrors.VOLUME_ENCRYPTED({ volume: device.volumeId }), extra)
          : done({}, changed(now), extra);
      },
    });
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

const notThere = ({
  server,
  input,
}: Call): Error & ReturnType<typeof ConductorErrors.VOLUME_ATTACHMENT_NOT_FOUND> =>
  ConductorErrors.VOLUME_ATTACHMENT_NOT_FOUND({ server: server.id, volume: input.reimage?.volumeId ?? "" });

const changed = (device: BlockDeviceRecord): Change => ({
  more: { blockDevices: [changeOf(device, ["attachment_id", "connection_info"])] },
});

/** The device as its host reaches it; undefined of an encrypted volume, whose key no host may have. */
async function connected(
  call: Call,
  ports: Pick<Ports, "cinder">,
  device: BlockDeviceRecord,
  connector: Connector,
): Promise<BlockDeviceRecord | undefined> {
  const connectionInfo = await connectionOf(call, ports, device, connector);
  if (connectionInfo === undefined) return undefined;
  await ports.cinder.completeAttachment(call.ctx, device.attachmentId);
  return { ...device, connectionInfo };
}

/**
 * A rebuild that failed leaves a server that has its volume, so that it can be rebuilt again. A volume that
 * Block Storage still writes to, or has broken, stays reserved.
 */
async function connectAgain(call: Call, ports: Ports): Promise<Change | undefined> {
  const at = { cell: call.database, host: hostOf(call) };
  const device = await rootOf(call, ports);
  if (device === undefined) return undefined;
  let kept: BlockDeviceRecord | undefined;
  try {
    const attachmentId = await heldAgain(call, ports, device.volumeId);
    kept = { ...device, attachmentId, connectionInfo: "" };
    const connector = await connectorOf(call, ports, at);
    if (connector === undefined) return changed(kept);
    const now = await connected(call, ports, kept, connector);
    if (now === undefined) return changed(kept);
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
    return kept && changed(kept);
  }
}

/** Undefined of a host that is down. */
async function connectorOf(call: Call, ports: Ports, at: HostRef): Promise<Connector | undefined> {
  let found: Connector | undefined;
  const ids = { commandId: `${call.stepId}/undo-describe`, undoOf: call.stepId };
  const isUp = await insist(call, ports, at, async () => {
    const { result, output } = await sendCommand(call, ports, at, describeConnector, {}, ids);
    found = output && readConnector(output.connector);
    return result;
  });
  if (isUp && found === undefined) throw CommonErrors.UNAVAILABLE({ what: "The host's connector" });
  return found;
}
