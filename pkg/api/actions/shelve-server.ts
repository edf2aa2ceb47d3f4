import type { ShelveServerRequest } from "../../../gen/kilonova/api/v1/server_moves.js";
import { imageOfShelved } from "../../model/server-image.js";
import { isOnVolume } from "../cells/servers.js";
import { ShelveErrors } from "../errors.js";
import { action } from "./action.js";

export default action<ShelveServerRequest>({
  method: "ShelveServer",
  shape: {},
  input: (ctx, _request, { server, record }, { ids }) => {
    // Nova makes no image of it, and has it leave its host at once.
    if (isOnVolume({ server, record })) throw ShelveErrors.OFFLOADING_NOT_SERVED({ server: server.id });
    const { userId, projectId } = ctx.actor;
    const wanted = { imageId: ids.uuid(), userId, projectId };
    return { input: { image: imageOfShelved(server, record.spec, wanted) } };
  },
});
