import { z } from "zod";
import type { BlockDeviceChange, BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import describeConnector from "../../compute/commands/describe-connector.js";
import type { StepCall, StepResult } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { commandAgent } from "./agent-command.js";
import { changeOf } from "./device-change.js";

/** Who connects, as the Block Storage service is told. Its keys are the driver's. */
export type Connector = Readonly<Record<string, unknown>>;

const connectorJson = z.record(z.string(), z.unknown());

/** @param text  what a host says of itself: JSON */
export const readConnector = (text: string): Connector => connectorJson.parse(JSON.parse(text));

/** Asks a host who it is towards storage. @param onEnd  what follows; repeatable */
export const askConnector = <I>(
  call: StepCall<I>,
  ports: Ports,
  host: string,
  onEnd: {
    readonly done: (connector: Connector) => Promise<StepResult>;
    readonly failed: (result: CommandResult) => StepResult;
  },
): Promise<StepResult> =>
  commandAgent(
    call,
    ports,
    { cell: call.database, host },
    describeConnector,
    {},
    {
      ...onEnd,
      done: ({ connector }) => onEnd.done(readConnector(connector)),
    },
  );

/**
 * Tells the Block Storage service who connects to the volume of an attachment. Repeatable.
 * @returns how the volume is reached from there: for the device's record, and secret. Undefined for an
 * encrypted volume, whose key no host may have
 * @throws what the service says
 */
export async function connectionOf(
  { ctx }: Pick<StepCall, "ctx">,
  { cinder }: Pick<Ports, "cinder">,
  device: Pick<BlockDeviceRecord, "attachmentId" | "volumeId" | "deviceName">,
  connector: Connector,
): Promise<string | undefined> {
  const { attachmentId, volumeId, deviceName } = device;
  const { connectionInfo } = await cinder.updateAttachment(ctx, attachmentId, {
    ...connector,
    mountpoint: deviceName,
  });
  if (connectionInfo?.["encrypted"] === true) return undefined;
  return JSON.stringify({ ...connectionInfo, attachment_id: attachmentId, volume_id: volumeId });
}

/** The device's record with how its volume is reached. */
export const connectionChange = (device: BlockDeviceRecord, connectionInfo: string): BlockDeviceChange =>
  changeOf({ ...device, connectionInfo }, ["connection_info"]);
