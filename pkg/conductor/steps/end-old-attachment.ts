import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { goingDevice } from "./begin-detaching.js";

/** Lets go of the old volume. */
export const endOldAttachment = ({ cinder }: Pick<Ports, "cinder">): Step<SwapVolumeInput> => ({
  name: "end-old-attachment",
  unfenced: true,
  event: "",
  timeoutMs: 300_000,
  async run(call) {
    await cinder.deleteAttachment(call.ctx, call.outputs.get(goingDevice).attachmentId);
    return done();
  },
});
