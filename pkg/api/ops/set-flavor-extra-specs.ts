import type {
  SetFlavorExtraSpecsRequest,
  SetFlavorExtraSpecsResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import type { RuleName } from "../../policy/index.js";
import { id } from "../shape/common.js";
import type { Rule } from "../shape/shape.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, ownBy } from "../rights/guarded.js";
import { map, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { extraSpecKey } from "./create-flavor.js";
import { flavorMaskOf, presentFlavor, readFlavor, withFlavorErrors } from "./flavor-access.js";

const eachSpec = map(extraSpecKey, text());
const specs: Rule<Map<string, string>> = (entries, path, report) => {
  if (entries.size === 0) report(path, "must not be empty");
  else eachSpec(entries, path, report);
};

const ruleOf = ({ singleItem }: SetFlavorExtraSpecsRequest): RuleName =>
  singleItem ? "os_compute_api:os-flavor-extra-specs:update" : "os_compute_api:os-flavor-extra-specs:create";

/** Adds or replaces extra specs. */
export const setFlavorExtraSpecs = (
  parts: Parts,
): Guarded<SetFlavorExtraSpecsRequest, SetFlavorExtraSpecsResponse> =>
  guarded({ flavorId: id, extraSpecs: specs }, ownBy(ruleOf), async (ctx, { flavorId, extraSpecs }) => {
    await readFlavor(parts, ctx, flavorId);
    const { flavor } = await withFlavorErrors(flavorId, () =>
      parts.global.updateStoredFlavor(ctx, {
        flavor: { id: flavorId },
        updateMask: [],
        setExtraSpecs: extraSpecs,
      }),
    );
    return { flavor: flavor && presentFlavor(flavor, flavorMaskOf(ctx)) };
  });
