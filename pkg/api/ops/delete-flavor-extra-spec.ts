import type {
  DeleteFlavorExtraSpecRequest,
  DeleteFlavorExtraSpecResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { readFlavor, withFlavorErrors } from "./flavor-access.js";

/** Removes one extra spec. */
export const deleteFlavorExtraSpec = (
  parts: Parts,
): Unary<DeleteFlavorExtraSpecRequest, DeleteFlavorExtraSpecResponse> =>
  checked<DeleteFlavorExtraSpecRequest, DeleteFlavorExtraSpecResponse>(
    { flavorId: id, key: id },
    async (ctx, { flavorId, key }) => {
      parts.policy.enforce(ctx.actor, "os_compute_api:os-flavor-extra-specs:delete");
      await readFlavor(parts, ctx, flavorId);
      await withFlavorErrors(flavorId, () =>
        parts.global.updateStoredFlavor(ctx, {
          flavor: { id: flavorId },
          updateMask: [],
          removeExtraSpecs: [key],
        }),
      );
      return {};
    },
  );
