import type {
  RemoveFlavorAccessRequest,
  RemoveFlavorAccessResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { readFlavor, withFlavorErrors } from "./flavor-access.js";

/** Takes a project's access to a private flavor away; whether the project still exists does not matter. */
export const removeFlavorAccess = (
  parts: Parts,
): Guarded<RemoveFlavorAccessRequest, RemoveFlavorAccessResponse> =>
  guarded({ flavorId: id, projectId: id }, own, async (ctx, { flavorId, projectId }) => {
    await readFlavor(parts, ctx, flavorId);
    return withFlavorErrors(flavorId, () =>
      parts.global.updateStoredFlavor(ctx, {
        flavor: { id: flavorId },
        updateMask: [],
        removeProjects: [projectId],
      }),
    );
  });
