import type {
  DeleteFlavorExtraSpecRequest,
  DeleteFlavorExtraSpecResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { readFlavor, withFlavorErrors } from "./flavor-access.js";

/** Removes one extra spec. */
export const deleteFlavorExtraSpec = (
  parts: Parts,
): Guarded<DeleteFlavorExtraSpecRequest, DeleteFlavorExtraSpecResponse> =>
  guarded({ flavorId: id, key: id }, own, async (ctx, { flavorId, key }) => {
    await readFlavor(parts, ctx, flavorId);
    await withFlavorErrors(flavorId, () =>
      parts.global.updateStoredFlavor(ctx, {
        flavor: { id: flavorId },
        updateMask: [],
        removeExtraSpecs: [key],
      }),
    );
    return {};
  });
