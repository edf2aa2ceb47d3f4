import type { CreateServerImageRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { imageOfServer } from "../../model/server-image.js";
import { isOnVolume, ownerOf } from "../cells/servers.js";
import { imageMetadata, imageName, madeImage, requireProperties } from "../create/server-image.js";
import { ServerImageErrors } from "../errors.js";
import type { VolumesPort } from "../ports.js";
import type { Call } from "../rights/rights.js";
import { action } from "./action.js";

export default action<CreateServerImageRequest>({
  method: "CreateServerImage",
  shape: { name: imageName, metadata: imageMetadata },
  input: async (ctx, { name, metadata }, { server, record }, { ids, cinder }) => {
    requireProperties(metadata);
    // Without volumes it has a disk of its own all the same, or its host says that it has none.
    if (isOnVolume({ server, record }))
      ctx.rights.enforce("os_compute_api:servers:create_image:allow_volume_backed", ownerOf(server));
    const { userId, projectId } = ctx.actor;
    const wanted = { imageId: ids.uuid(), name, kind: "snapshot", metadata, userId, projectId } as const;
    const input = imageOfServer(server, record.spec, wanted);
    if (input.volumeBacked) await requireSnapshotRoom(ctx, cinder, server);
    return { input };
  },
  answer: madeImage,
});

/**
 * A look beforehand, so that quota does not run out half-way where that can be seen. @throws SNAPSHOT_QUOTA
 */
async function requireSnapshotRoom(
  ctx: Call,
  cinder: VolumesPort,
  { projectId, volumes }: Pick<Server, "projectId" | "volumes">,
): Promise<void> {
  const { maxSnapshots, snapshotsUsed } = await cinder.limits(ctx, projectId);
  if (maxSnapshots >= 0 && snapshotsUsed + volumes.length > maxSnapshots)
    throw ServerImageErrors.SNAPSHOT_QUOTA({});
}
