import { z } from "zod";
import type { AttachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import {
  BlockDeviceDestination,
  BlockDeviceRecord,
  BlockDeviceSource,
} from "../../../gen/kilonova/cells/v1/server_records.js";
import type { AttachmentInfo } from "../../clients/cinder/ports.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import { parseOperationName } from "../../model/operation-name.js";
import { nextDeviceName } from "../domain/device-names.js";
import { done, fail } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { devicesOf } from "./volume-devices.js";

type AttachCall = StepCall<AttachVolumeInput>;
type VolumePorts = Pick<Ports, "cinder" | "records">;

/** The block device that the step has made, and its attachment at the Block Storage service. */
export const reservedVolume = outputOf(
  "reserve-volume",
  z.object({
    deviceId: z.string(),
    deviceName: z.string(),
    volumeId: z.string(),
    attachmentId: z.string(),
  }),
);

const SWEEPS = 4;

/** The block device is found again by the operation's id, which it has for its own. */
const deviceIdOf = ({ operation }: StepCall): string => parseOperationName(operation.name)?.operationId ?? "";

/**
 * Chooses a device and reserves the volume: from here on nobody else gets it. The record is the server's from
 * this step's commit on.
 * @param maximum  disks that a server may have; -1 for no limit
 */
export const reserveVolume = (ports: VolumePorts, maximum: number): Step<AttachVolumeInput> => ({
  name: reservedVolume.step,
  unfenced: true,
  event: "compute_reserve_block_device_name",
  timeoutMs: 300_000,

  async run(call) {
    const { volumeId, device: asked } = call.input;
    const others = (await devicesOf(call, ports)).filter(({ id }) => id !== deviceIdOf(call));
    if (others.some((one) => one.volumeId === volumeId))
      return fail(ConductorErrors.VOLUME_ALREADY_ATTACHED({ volume: volumeId }));
    const used = others.map(({ deviceName }) => deviceName);
    const found = nextDeviceName(asked, used, call.server.hostInfo?.rootDeviceName ?? "", maximum);
    if (found.kind === "in-use") return fail(ConductorErrors.DEVICE_IN_USE({ device: asked }));
    if (found.kind === "too-many") return fail(ConductorErrors.TOO_MANY_VOLUMES({ maximum }));
    const attachment = await reserved(call, ports);
    if (attachment instanceof KilonovaError)
      return fail(ConductorErrors.VOLUME_NOT_AVAILABLE({ problem: attachment.message }));
    const output = {
      deviceId: deviceIdOf(call),
      deviceName: found.name,
      volumeId,
      attachmentId: attachment.id,
    };
    return done(output, { more: { blockDevices: [added(call, output)] } });
  },

  undo: async (call) => takenBack(call, ports),
});

/**
 * Attachments of a start that was cut short are of no use: it is not known what they have come to.
 * @returns the attachment, or why the service refuses it
 */
async function reserved(call: AttachCall, ports: VolumePorts): Promise<AttachmentInfo | KilonovaError> {
  const { volumeId } = call.input;
  if (!call.firstStart) await letGo(call, ports);
  try {
    return await ports.cinder.createAttachment(call.ctx, { volumeId, serverId: call.server.id });
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "VOLUME_INVALID") return error;
    throw error;
  }
}

/** Removes the record and whatever has become an attachment; what the server had before stays. */
async function takenBack(call: AttachCall, ports: VolumePorts): Promise<Change | undefined> {
  const ours = deviceIdOf(call);
  const devices = await devicesOf(call, ports);
  const had = devices.some(({ id, volumeId }) => id !== ours && volumeId === call.input.volumeId);
  if (!had) await letGo(call, ports);
  if (!devices.some(({ id }) => id === ours)) return undefined;
  return {
    more: {
      blockDevices: [
        { device: BlockDeviceRecord.fromPartial({ id: ours }), updateMask: undefined, remove: true },
      ],
    },
  };
}

/** Looks again until there is none: a reservation that was under way may have ended meanwhile. */
async function letGo(call: AttachCall, { cinder }: VolumePorts): Promise<void> {
  const query = { volumeId: call.input.volumeId, serverId: call.server.id };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const found = await cinder.listAttachments(call.ctx, query);
    if (found.length === 0) return;
    for (const { id } of found) await cinder.deleteAttachment(call.ctx, id);
  }
  throw CommonErrors.UNAVAILABLE({ what: "The Block Storage service" });
}

function added(
  { input }: AttachCall,
  output: { readonly deviceId: string; readonly deviceName: string; readonly attachmentId: string },
) {
  const { volumeId, tag, deleteOnTermination, sizeMib } = input;
  return {
    device: BlockDeviceRecord.fromPartial({
      id: output.deviceId,
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
      destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
      volumeId,
      sizeMib,
      deviceName: output.deviceName,
      deviceType: "disk",
      deleteOnTermination,
      tag,
      attachmentId: output.attachmentId,
    }),
    updateMask: undefined,
    remove: false,
  };
}
