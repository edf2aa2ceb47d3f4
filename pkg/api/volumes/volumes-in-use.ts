import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { VolumeInfo } from "../../clients/cinder/ports.js";
import { KilonovaError } from "../../kernel/index.js";
import { VolumeAttachmentErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/**
 * The server's volumes as Block Storage has them, whoever they belong to: the server has them.
 * @throws VOLUME_NOT_FOUND; what the Block Storage service fails with
 * @source nova API._check_volume_status
 */
export async function volumesOfServer(
  { cinder }: Pick<Parts, "cinder">,
  ctx: Call,
  { volumes }: Pick<Server, "volumes">,
): Promise<readonly VolumeInfo[]> {
  const found: VolumeInfo[] = [];
  for (const { id } of volumes)
    try {
      found.push(await cinder.getVolume(ctx, id));
    } catch (cause) {
      if (!(cause instanceof KilonovaError) || cause.kind !== "missing") throw cause;
      throw VolumeAttachmentErrors.VOLUME_NOT_FOUND({ volume: id }, { cause });
    }
  return found;
}

/** The first one that is not in use; undefined when all are. */
export const notInUse = (volumes: readonly VolumeInfo[]): VolumeInfo | undefined =>
  volumes.find(({ status }) => status !== "in-use");

/** Nova's words. */
export const notInUseText = ({ id, status }: Pick<VolumeInfo, "id" | "status">): string =>
  `Invalid volume: volume '${id}' status must be 'in-use'. Currently in '${status}' status`;
