import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { newAttachment } from "./reserve-new-volume.js";

/** Tells the Block Storage service that the guest has the new volume. */
export const completeNewVolume = ({ cinder }: Pick<Ports, "cinder">): Step<SwapVolumeInput> => ({
  name: "complete-new-volume",
  unfenced: true,
  event: "",
  timeoutMs: 300_000,
  async run(call) {
    await cinder.completeAttachment(call.ctx, call.outputs.get(newAttachment).attachmentId);
    return done();
  },
});
