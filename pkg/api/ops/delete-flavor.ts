import type {
  DeleteFlavorRequest,
  DeleteFlavorResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { readFlavor, withFlavorErrors } from "./flavor-access.js";

/** Deletes a flavor; servers keep the copy they were built from. */
export const deleteFlavor = (parts: Parts): Guarded<DeleteFlavorRequest, DeleteFlavorResponse> =>
  guarded({ flavorId: id }, own, async (ctx, { flavorId }) => {
    await readFlavor(parts, ctx, flavorId);
    return withFlavorErrors(flavorId, () => parts.global.deleteStoredFlavor(ctx, { flavorId }));
  });
