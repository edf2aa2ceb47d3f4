import type {
  SetFlavorExtraSpecsRequest,
  SetFlavorExtraSpecsResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { id } from "../shape/common.js";
import type { Rule, Unary } from "../shape/shape.js";
import { checked, map, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { extraSpecKey } from "./create-flavor.js";
import { flavorMaskOf, presentFlavor, readFlavor, withFlavorErrors } from "./flavor-access.js";

const eachSpec = map(extraSpecKey, text());
const specs: Rule<Map<string, string>> = (entries, path, report) => {
  if (entries.size === 0) report(path, "must not be empty");
  else eachSpec(entries, path, report);
};

/**
 * Adds or replaces extra specs. Replacing one that exists asks the rule for updates, anything else the one
 * for creation.
 */
export const setFlavorExtraSpecs = (
  parts: Parts,
): Unary<SetFlavorExtraSpecsRequest, SetFlavorExtraSpecsResponse> =>
  checked<SetFlavorExtraSpecsRequest, SetFlavorExtraSpecsResponse>(
    { flavorId: id, extraSpecs: specs },
    async (ctx, { flavorId, extraSpecs }) => {
      const { policy, global } = parts;
      if (!policy.allows(ctx.actor, "os_compute_api:os-flavor-extra-specs:update"))
        policy.enforce(ctx.actor, "os_compute_api:os-flavor-extra-specs:create");
      const before = await readFlavor(parts, ctx, flavorId);
      const replaces = [...extraSpecs.keys()].every((key) => before.extraSpecs.has(key));
      policy.enforce(
        ctx.actor,
        replaces
          ? "os_compute_api:os-flavor-extra-specs:update"
          : "os_compute_api:os-flavor-extra-specs:create",
      );
      const { flavor } = await withFlavorErrors(flavorId, () =>
        global.updateStoredFlavor(ctx, {
          flavor: { id: flavorId },
          updateMask: [],
          setExtraSpecs: extraSpecs,
        }),
      );
      return { flavor: flavor && presentFlavor(flavor, flavorMaskOf(parts, ctx)) };
    },
  );
