import type { DetachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { endAttachmentsOf } from "./attachments.js";
import { goingDevice } from "./begin-detaching.js";

/**
 * Ends the attachment, and one that a repeated reservation may have left beside it: the volume would be the
 * server's for ever. The record loses the block device.
 */
export const releaseVolume = (ports: Pick<Ports, "cinder">): Step<DetachVolumeInput> => ({
  name: "release-volume",
  unfenced: true,
  event: "",
  timeoutMs: 300_000,
  async run(call) {
    const { deviceId, attachmentId } = call.outputs.get(goingDevice);
    await ports.cinder.deleteAttachment(call.ctx, attachmentId);
    await endAttachmentsOf(call, ports, call.input.volumeId);
    return done(
      {},
      {
        more: {
          blockDevices: [
            { device: BlockDeviceRecord.fromPartial({ id: deviceId }), updateMask: undefined, remove: true },
          ],
        },
      },
    );
  },
});
