import { z } from "zod";
import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { KilonovaError } from "../../kernel/errors.js";
import { done, fail } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { endAttachmentsOf } from "./attachments.js";
import { devicesOf } from "./volume-devices.js";

/** The new volume's attachment. */
export const newAttachment = outputOf("reserve-new-volume", z.object({ attachmentId: z.string() }));

/** Reserves the volume that takes the other one's place: from here on nobody else gets it. */
export const reserveNewVolume = (ports: Pick<Ports, "cinder" | "records">): Step<SwapVolumeInput> => ({
  name: newAttachment.step,
  unfenced: true,
  event: "",
  timeoutMs: 300_000,

  async run(call) {
    const { newVolumeId: volumeId } = call.input;
    if ((await devicesOf(call, ports)).some((one) => one.volumeId === volumeId))
      return fail(ConductorErrors.VOLUME_ALREADY_ATTACHED({ volume: volumeId }));
    // It is not known what those of a start that was cut short have come to.
    if (!call.firstStart) await endAttachmentsOf(call, ports, volumeId);
    try {
      const { id } = await ports.cinder.createAttachment(call.ctx, { volumeId, serverId: call.server.id });
      return done({ attachmentId: id });
    } catch (error) {
      if (!(error instanceof KilonovaError) || !["VOLUME_INVALID", "VOLUME_NOT_FOUND"].includes(error.reason))
        throw error;
      return fail(ConductorErrors.VOLUME_NOT_AVAILABLE({ problem: error.message }));
    }
  },

  async undo(call) {
    const { newVolumeId: volumeId } = call.input;
    const had = (await devicesOf(call, ports)).some((one) => one.volumeId === volumeId);
    if (!had) await endAttachmentsOf(call, ports, volumeId);
    return undefined;
  },
});
