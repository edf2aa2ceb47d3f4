import type { AttachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { reservedVolume } from "./reserve-volume.js";

/** Tells the Block Storage service that the guest has the volume. The end of the attachment takes it back. */
export const completeVolume = ({ cinder }: Pick<Ports, "cinder">): Step<AttachVolumeInput> => ({
  name: "complete-volume",
  unfenced: true,
  event: "",
  timeoutMs: 300_000,
  async run(call) {
    await cinder.completeAttachment(call.ctx, call.outputs.get(reservedVolume).attachmentId);
    return done();
  },
});
