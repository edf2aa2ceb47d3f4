import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { KilonovaError } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/**
 * Reads a flavor that the caller may see. Names are no ids.
 * @param withDisabled  whether one that is disabled is there, too
 * @throws FLAVOR_NOT_FOUND
 */
export async function readFlavor(
  parts: Parts,
  ctx: Call,
  flavorId: string,
  withDisabled = ctx.rights.isAdmin,
): Promise<Flavor> {
  const seeAll = ctx.rights.isAdmin;
  const { flavor } = await withFlavorErrors(flavorId, () =>
    parts.global.getStoredFlavor(ctx, { flavorId, projectId: ctx.actor.projectId, seeAll }),
  );
  if (flavor === undefined || flavor.id !== flavorId || (flavor.disabled && !withDisabled))
    throw ApiErrors.FLAVOR_NOT_FOUND({ flavor: flavorId });
  return flavor;
}

/** Gives a stored flavor's absence the words of the public contract. */
export async function withFlavorErrors<T>(flavorId: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "FLAVOR_NOT_FOUND")
      throw ApiErrors.FLAVOR_NOT_FOUND({ flavor: flavorId }, { cause: error });
    throw error;
  }
}

/** What a caller may see of flavors. */
export interface FlavorMask {
  readonly extraSpecs: boolean;
  readonly access: boolean;
}

export const flavorMaskOf = (ctx: Call): FlavorMask => ({
  extraSpecs: ctx.rights.allows("os_compute_api:os-flavor-extra-specs:index"),
  access: ctx.rights.allows("os_compute_api:os-flavor-access"),
});

export const presentFlavor = (flavor: Flavor, mask: FlavorMask): Flavor => ({
  ...flavor,
  extraSpecs: mask.extraSpecs ? flavor.extraSpecs : new Map(),
  projectIds: mask.access ? flavor.projectIds : [],
});

export const hiddenFlavorFields = (mask: FlavorMask): string[] => [
  ...(mask.extraSpecs ? [] : ["extra_specs"]),
  ...(mask.access ? [] : ["project_ids"]),
];
