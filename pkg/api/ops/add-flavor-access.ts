import type {
  AddFlavorAccessRequest,
  AddFlavorAccessResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { readFlavor, withFlavorErrors } from "./flavor-access.js";

/** Lets a project use a private flavor. */
export const addFlavorAccess = (parts: Parts): Guarded<AddFlavorAccessRequest, AddFlavorAccessResponse> =>
  guarded({ flavorId: id, projectId: id }, own, async (ctx, { flavorId, projectId }) => {
    const [before, exists] = await Promise.all([
      readFlavor(parts, ctx, flavorId),
      parts.keystone.projectExists(ctx, projectId),
    ]);
    if (!exists) throw ApiErrors.PROJECT_NOT_FOUND({ project: projectId });
    if (before.isPublic) throw ApiErrors.FLAVOR_IS_PUBLIC({});
    return withFlavorErrors(flavorId, () =>
      parts.global.updateStoredFlavor(ctx, {
        flavor: { id: flavorId },
        updateMask: [],
        addProjects: [projectId],
      }),
    );
  });
