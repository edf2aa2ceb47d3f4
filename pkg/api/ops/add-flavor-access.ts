import type {
  AddFlavorAccessRequest,
  AddFlavorAccessResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { readFlavor, withFlavorErrors } from "./flavor-access.js";

/** Lets a project use a private flavor. */
export const addFlavorAccess = (parts: Parts): Unary<AddFlavorAccessRequest, AddFlavorAccessResponse> =>
  checked<AddFlavorAccessRequest, AddFlavorAccessResponse>(
    { flavorId: id, projectId: id },
    async (ctx, { flavorId, projectId }) => {
      parts.policy.enforce(ctx.actor, "os_compute_api:os-flavor-access:add_tenant_access");
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
    },
  );
