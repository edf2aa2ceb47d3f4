import type {
  UpdateFlavorRequest,
  UpdateFlavorResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { id, time } from "../shape/common.js";
import type { Rule } from "../shape/shape.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { optional, required, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import {
  flavorMaskOf,
  hiddenFlavorFields,
  presentFlavor,
  readFlavor,
  withFlavorErrors,
} from "./flavor-access.js";

const onlyDescription: Rule<string[] | undefined> = (paths, path, report) => {
  if (paths === undefined || paths.length === 0) report(path, "is required");
  else if (paths.some((one) => one !== "description")) report(path, "may only name description");
};

/** Changes the description of a flavor; one that is unset removes it. */
export const updateFlavor = (parts: Parts): Guarded<UpdateFlavorRequest, UpdateFlavorResponse> =>
  guarded(
    {
      flavor: required<Flavor>({
        id,
        description: optional(text({ max: 65_535 })),
        createdAt: time,
        updatedAt: time,
      }),
      updateMask: onlyDescription,
    },
    own,
    async (ctx, request) => {
      const { id: flavorId, description } = request.flavor as Flavor;
      await readFlavor(parts, ctx, flavorId);
      const { flavor } = await withFlavorErrors(flavorId, () =>
        parts.global.updateStoredFlavor(ctx, {
          flavor: { id: flavorId, description },
          updateMask: ["description"],
        }),
      );
      const mask = flavorMaskOf(ctx);
      return { flavor: flavor && presentFlavor(flavor, mask), hiddenFields: hiddenFlavorFields(mask) };
    },
  );
