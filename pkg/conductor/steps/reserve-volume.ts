import { z } from "zod";
import type { AttachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { AttachmentInfo } from "../../clients/cinder/ports.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { chosenDevice, deviceIdOf } from "./choose-device.js";
import { devicesOf } from "./volume-devices.js";

type AttachCall = StepCall<AttachVolumeInput>;
type VolumePorts = Pick<Ports, "cinder" | "records">;

/** The attachment at the Block Storage service. */
export const reservedVolume = outputOf("reserve-volume", z.object({ attachmentId: z.string() }));

const SWEEPS = 4;

/** Reserves the volume: from here on nobody else gets it. */
export const reserveVolume = (ports: VolumePorts): Step<AttachVolumeInput> => ({
  name: reservedVolume.step,
  unfenced: true,
  event: "",
  timeoutMs: 300_000,

  async run(call) {
    const attachment = await reserved(call, ports);
    if (attachment instanceof KilonovaError)
      return fail(ConductorErrors.VOLUME_NOT_AVAILABLE({ problem: attachment.message }));
    const { deviceId: id } = call.outputs.get(chosenDevice);
    const device = BlockDeviceRecord.fromPartial({ id, attachmentId: attachment.id });
    return done(
      { attachmentId: attachment.id },
      { more: { blockDevices: [{ device, updateMask: ["attachment_id"], remove: false }] } },
    );
  },

  async undo(call) {
    const devices = await devicesOf(call, ports);
    // What the server had before is none of its business.
    const had = devices.some(
      ({ id, volumeId }) => id !== deviceIdOf(call) && volumeId === call.input.volumeId,
    );
    if (!had) await letGo(call, ports);
    return undefined;
  },
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
