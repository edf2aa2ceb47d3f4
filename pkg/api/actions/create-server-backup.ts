import type { CreateServerBackupRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { imageOfServer } from "../../model/server-image.js";
import { isOnVolume } from "../cells/servers.js";
import { imageMetadata, imageName, madeImage, requireProperties } from "../create/server-image.js";
import { ServerImageErrors } from "../errors.js";
import { number, text } from "../shape/shape.js";
import { action } from "./action.js";

export default action<CreateServerBackupRequest>({
  method: "CreateServerBackup",
  shape: {
    name: imageName,
    metadata: imageMetadata,
    // Nova also takes a type without a name.
    backupType: text({ max: 255 }),
    rotation: number({ max: 2_147_483_647 }),
  },
  input: (ctx, { name, metadata, backupType, rotation }, { server, record }, { ids }) => {
    requireProperties(metadata);
    if (isOnVolume({ server, record })) throw ServerImageErrors.VOLUME_BACKED({});
    const { userId, projectId } = ctx.actor;
    const wanted = { imageId: ids.uuid(), name, metadata, userId, projectId };
    const image = imageOfServer(server, record.spec, { ...wanted, kind: "backup", backupType });
    return { input: { image, backupType, rotation } };
  },
  answer: madeImage,
});
