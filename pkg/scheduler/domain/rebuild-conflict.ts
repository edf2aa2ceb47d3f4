import { numaAsked } from "./hardware-asked.js";
import type { RequestSpec } from "./request-spec.js";

const TRAIT = /^trait:([A-Z0-9_]+)$/;

/** Traits that an image requires. */
const traitsOf = ({ image }: Pick<RequestSpec, "image">): string[] =>
  [...(image?.properties ?? [])].flatMap(([key, value]) =>
    value === "required" ? (TRAIT.exec(key)?.[1] ?? []) : [],
  );

/**
 * Why a server cannot stay where it is with a new image, of what no filter judges: at a boot placement does
 * it. No server has a place in a NUMA topology, since no host reports one.
 * @param has  whether the provider of what the server holds has a trait
 * @returns undefined when it can
 * @source nova conductor _validate_image_traits_for_rebuild, compute api _validate_numa_rebuild
 */
export function rebuildConflict(
  request: Pick<RequestSpec, "image" | "extraSpecs">,
  has: (trait: string) => boolean,
): string | undefined {
  const wanted = traitsOf(request);
  if (wanted.some((trait) => request.extraSpecs.get(`trait:${trait}`) === "forbidden"))
    return "Image traits are part of forbidden traits in flavor associated with the server";
  if (!wanted.every(has)) return "Image traits cannot be satisfied by the current resource providers";
  if (numaAsked({ image: request.image, extraSpecs: new Map() }) !== undefined)
    return "An instance's NUMA topology cannot be changed as part of a rebuild";
  return undefined;
}
