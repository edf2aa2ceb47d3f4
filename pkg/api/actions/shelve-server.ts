import type { ShelveServerRequest } from "../../../gen/kilonova/api/v1/server_moves.js";
import { imageOfShelved } from "../../model/server-image.js";
import { isOnVolume } from "../cells/servers.js";
import { action } from "./action.js";

export default action<ShelveServerRequest>({
  method: "ShelveServer",
  shape: {},
  input: (ctx, _request, { server, record }, { ids }) => {
    // No image is made of volumes.
    if (isOnVolume({ server, record })) return {};
    const { userId, projectId } = ctx.actor;
    const wanted = { imageId: ids.uuid(), userId, projectId };
    return { input: { image: imageOfShelved(server, record.spec, wanted) } };
  },
});
