import type { GetFlavorRequest, GetFlavorResponse } from "../../../gen/kilonova/api/v1/flavors_service.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { flavorMaskOf, hiddenFlavorFields, presentFlavor, readFlavor } from "./flavor-access.js";

/** Reads a flavor; reading one needs no right of its own, only to see it. */
export const getFlavor = (parts: Parts): Unary<GetFlavorRequest, GetFlavorResponse> =>
  checked<GetFlavorRequest, GetFlavorResponse>({ flavorId: id }, async (ctx, request) => {
    if (request.withAccess) parts.policy.enforce(ctx.actor, "os_compute_api:os-flavor-access");
    if (request.withExtraSpecs) parts.policy.enforce(ctx.actor, "os_compute_api:os-flavor-extra-specs:index");
    const flavor = await readFlavor(parts, ctx, request.flavorId);
    if (request.withAccess && flavor.isPublic)
      throw ApiErrors.FLAVOR_ACCESS_NOT_FOUND({ why: "Access list not available for public flavors." });
    const mask = flavorMaskOf(parts, ctx);
    return { flavor: presentFlavor(flavor, mask), hiddenFields: hiddenFlavorFields(mask) };
  });
