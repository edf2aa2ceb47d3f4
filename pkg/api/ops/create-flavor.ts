import type {
  CreateFlavorRequest,
  CreateFlavorResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { description, name, time } from "../shape/common.js";
import type { Rule } from "../shape/shape.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { map, number, optional, required, text } from "../shape/shape.js";
import { toTimestamp } from "../../model/wire-time.js";
import type { Parts } from "../parts.js";
import { flavorMaskOf, hiddenFlavorFields, presentFlavor } from "./flavor-access.js";

const MAX_RXTX = 3.402823466e38;
const rxtxFactor: Rule<number> = (value, path, report) => {
  if (!(value >= 0 && value <= MAX_RXTX)) report(path, "must be a positive number");
};

export const extraSpecKey = text({
  min: 1,
  pattern: /^[a-zA-Z0-9-_:. ]+$/,
  hint: "must consist of letters, digits, '-', '_', ':', '.' and spaces",
});

const flavorShape = required<Flavor>({
  id: text({
    pattern: /^(?! )[a-zA-Z0-9. _-]+(?<! )$/,
    hint: "must consist of letters, digits, '.', '_', '-' and inner spaces",
  }),
  name,
  description: optional(text({ max: 65_535 })),
  vcpus: number({ min: 1 }),
  memoryMib: number({ min: 1 }),
  rootGib: number(),
  ephemeralGib: number(),
  swapMib: number(),
  rxtxFactor,
  extraSpecs: map(extraSpecKey, description),
  createdAt: time,
  updatedAt: time,
});

/** Makes a flavor; private ones are shared with nobody yet. */
export const createFlavor = (parts: Parts): Guarded<CreateFlavorRequest, CreateFlavorResponse> =>
  guarded({ flavor: flavorShape }, own, async (ctx, request) => {
    const asked = request.flavor as Flavor;
    if (asked.extraSpecs.size > 0) ctx.rights.enforce("os_compute_api:os-flavor-extra-specs:create");
    const { flavor } = await parts.global.createStoredFlavor(ctx, {
      flavor: {
        ...asked,
        id: asked.id || parts.ids.uuid(),
        rxtxFactor: asked.rxtxFactor || 1,
        projectIds: [],
        createdAt: toTimestamp(parts.clock.now()),
        updatedAt: undefined,
      },
    });
    const mask = flavorMaskOf(ctx);
    return { flavor: flavor && presentFlavor(flavor, mask), hiddenFields: hiddenFlavorFields(mask) };
  });
