import type {
  DeleteFlavorRequest,
  DeleteFlavorResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { readFlavor, withFlavorErrors } from "./flavor-access.js";

/** Deletes a flavor; servers keep the copy they were built from. */
export const deleteFlavor = (parts: Parts): Unary<DeleteFlavorRequest, DeleteFlavorResponse> =>
  checked<DeleteFlavorRequest, DeleteFlavorResponse>({ flavorId: id }, async (ctx, { flavorId }) => {
    parts.policy.enforce(ctx.actor, "os_compute_api:os-flavor-manage:delete");
    await readFlavor(parts, ctx, flavorId);
    return withFlavorErrors(flavorId, () => parts.global.deleteStoredFlavor(ctx, { flavorId }));
  });
