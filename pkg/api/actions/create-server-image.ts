import type { CreateServerImageRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { CommonErrors } from "../../kernel/index.js";
import { isVolumeBacked } from "../../model/boot-devices.js";
import { imageOfServer } from "../../model/server-image.js";
import { isOnVolume, ownerOf } from "../cells/servers.js";
import { imageMetadata, imageName, madeImage, requireProperties } from "../create/server-image.js";
import { action } from "./action.js";

export default action<CreateServerImageRequest>({
  method: "CreateServerImage",
  shape: { name: imageName, metadata: imageMetadata },
  input: (ctx, { name, metadata }, { server, record }, { ids }) => {
    requireProperties(metadata);
    // Without volumes it has a disk of its own all the same, or its host says that it has none.
    if (isOnVolume({ server, record }))
      ctx.rights.enforce("os_compute_api:servers:create_image:allow_volume_backed", ownerOf(server));
    // Its root disk is no disk of its host: there is nothing to copy there.
    if (record.spec !== undefined && isVolumeBacked(record.spec))
      throw CommonErrors.UNIMPLEMENTED({ what: "An image of a server that boots from a volume" });
    const { userId, projectId } = ctx.actor;
    const wanted = { imageId: ids.uuid(), name, kind: "snapshot", metadata, userId, projectId } as const;
    return { input: imageOfServer(server, record.spec, wanted) };
  },
  answer: madeImage,
});
