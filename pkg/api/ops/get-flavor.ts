import type { GetFlavorRequest, GetFlavorResponse } from "../../../gen/kilonova/api/v1/flavors_service.js";
import type { RuleName } from "../../policy/index.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, ownBy } from "../rights/guarded.js";
import { given, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { flavorMaskOf, hiddenFlavorFields, presentFlavor, readFlavor } from "./flavor-access.js";

/** Reading a flavor needs no right of its own, only to see it; insisting on a part of it does. */
function ruleOf({ withAccess, withExtraSpecs, extraSpecKey }: GetFlavorRequest): RuleName | "none" {
  if (withAccess) return "os_compute_api:os-flavor-access";
  if (extraSpecKey !== undefined) return "os_compute_api:os-flavor-extra-specs:show";
  return withExtraSpecs ? "os_compute_api:os-flavor-extra-specs:index" : "none";
}

/** Reads a flavor. */
export const getFlavor = (parts: Parts): Guarded<GetFlavorRequest, GetFlavorResponse> =>
  guarded({ flavorId: id, extraSpecKey: given(text()) }, ownBy(ruleOf), async (ctx, request) => {
    const flavor = await readFlavor(parts, ctx, request.flavorId);
    if (request.withAccess && flavor.isPublic)
      throw ApiErrors.FLAVOR_ACCESS_NOT_FOUND({ why: "Access list not available for public flavors." });
    const { extraSpecKey } = request;
    const one = extraSpecKey !== undefined;
    // The rule of one extra spec has decided about it by now.
    const mask = one
      ? { extraSpecs: true, access: ctx.rights.allows("os_compute_api:os-flavor-access") }
      : flavorMaskOf(ctx);
    const extraSpecs = one ? only(flavor.extraSpecs, extraSpecKey) : flavor.extraSpecs;
    return { flavor: presentFlavor({ ...flavor, extraSpecs }, mask), hiddenFields: hiddenFlavorFields(mask) };
  });

const only = (specs: ReadonlyMap<string, string>, wanted: string): Map<string, string> =>
  new Map([...specs].filter(([key]) => key === wanted));
