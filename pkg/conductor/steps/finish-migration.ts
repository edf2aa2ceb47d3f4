import { z } from "zod";
import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { done } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { changeOf } from "./device-change.js";
import { newDevice } from "./swap-volume.js";

/** Under which id the volume is known from now on. */
export const savedVolume = outputOf("finish-migration", z.object({ volumeId: z.string() }));

const MIB_PER_GIB = 1024n;

/**
 * Tells the Block Storage service that the copy is whole. It lets the new volume have the old one's id, and
 * removes what was the old one. The record follows.
 */
export const finishMigration = (ports: Pick<Ports, "cinder" | "records">): Step<SwapVolumeInput> => ({
  name: savedVolume.step,
  unfenced: true,
  event: "",
  timeoutMs: 600_000,
  async run(call) {
    const { cinder } = ports;
    const device = await newDevice(call, ports);
    const { volumeId: oldId, newVolumeId } = call.input;
    const volumeId = (await isFinished(call, ports))
      ? oldId
      : await cinder.migrateVolumeCompletion(call.ctx, oldId, newVolumeId, false);
    if (device === undefined) return done({ volumeId });
    const { sizeGib } = await cinder.getVolume(call.ctx, volumeId);
    const change = changeOf({ ...device, volumeId, sizeMib: BigInt(sizeGib) * MIB_PER_GIB }, [
      "volume_id",
      "attachment_id",
      "connection_info",
      "size_mib",
    ]);
    return done({ volumeId }, { more: { blockDevices: [change] } });
  },
});

/** Whether a start that was cut short has done it: it cannot be said twice. */
async function isFinished(
  { ctx, input, firstStart }: StepCall<SwapVolumeInput>,
  { cinder }: Pick<Ports, "cinder">,
): Promise<boolean> {
  if (firstStart) return false;
  const { migrationStatus } = await cinder.getVolume(ctx, input.volumeId);
  return !migrationStatus || migrationStatus === "completing" || migrationStatus === "success";
}
