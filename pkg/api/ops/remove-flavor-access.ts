import type {
  RemoveFlavorAccessRequest,
  RemoveFlavorAccessResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { readFlavor, withFlavorErrors } from "./flavor-access.js";

/** Takes a project's access to a private flavor away; whether the project still exists does not matter. */
export const removeFlavorAccess = (
  parts: Parts,
): Unary<RemoveFlavorAccessRequest, RemoveFlavorAccessResponse> =>
  checked<RemoveFlavorAccessRequest, RemoveFlavorAccessResponse>(
    { flavorId: id, projectId: id },
    async (ctx, { flavorId, projectId }) => {
      parts.policy.enforce(ctx.actor, "os_compute_api:os-flavor-access:remove_tenant_access");
      await readFlavor(parts, ctx, flavorId);
      return withFlavorErrors(flavorId, () =>
        parts.global.updateStoredFlavor(ctx, {
          flavor: { id: flavorId },
          updateMask: [],
          removeProjects: [projectId],
        }),
      );
    },
  );
