import type { VolumeInfo } from "../../clients/cinder/ports.js";
import { KilonovaError, parseUuid } from "../../kernel/index.js";
import { VolumeErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/**
 * A volume that the caller may see: his project's, or anybody's for administrators.
 * @throws VOLUME_NOT_FOUND; what the Block Storage service fails with
 */
export async function visibleVolume(
  { cinder }: Pick<Parts, "cinder">,
  ctx: Call,
  volumeId: string,
): Promise<VolumeInfo> {
  const missing = (): Error => VolumeErrors.VOLUME_NOT_FOUND({ volume: volumeId });
  const id = parseUuid(volumeId);
  if (id === undefined) throw missing();
  const volume = await cinder.getVolume(ctx, id).catch((error: unknown) => {
    if (error instanceof KilonovaError && error.kind === "missing") throw missing();
    throw error;
  });
  if (volume.projectId !== ctx.actor.projectId && !ctx.rights.isAdmin) throw missing();
  return volume;
}
