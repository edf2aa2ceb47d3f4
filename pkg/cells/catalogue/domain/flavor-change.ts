import type { UpdateStoredFlavorRequest } from "../../../../gen/kilonova/cells/v1/global_service.js";
import type { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { CellsErrors } from "../../errors.js";

/** A flavor as it is stored first. */
export const newFlavor = (asked: Flavor, now: Instant): Flavor => ({
  ...asked,
  createdAt: asked.createdAt ?? toTimestamp(now),
  projectIds: [...new Set(asked.projectIds)].sort(),
});

/**
 * A flavor after an update.
 * @throws EXTRA_SPEC_NOT_FOUND, FLAVOR_ACCESS_EXISTS, FLAVOR_ACCESS_NOT_FOUND, INVALID_ARGUMENT
 */
export function changedFlavor(flavor: Flavor, request: UpdateStoredFlavorRequest, now: Instant): Flavor {
  const extraSpecs = new Map([...flavor.extraSpecs, ...request.setExtraSpecs]);
  for (const key of request.removeExtraSpecs)
    if (!extraSpecs.delete(key)) throw CellsErrors.EXTRA_SPEC_NOT_FOUND({ flavor: flavor.id, key });
  const projects = new Set(flavor.projectIds);
  for (const project of request.addProjects) {
    if (projects.has(project)) throw CellsErrors.FLAVOR_ACCESS_EXISTS({ flavor: flavor.id, project });
    projects.add(project);
  }
  for (const project of request.removeProjects)
    if (!projects.delete(project)) throw CellsErrors.FLAVOR_ACCESS_NOT_FOUND({ flavor: flavor.id, project });
  const next: Flavor = {
    ...flavor,
    extraSpecs,
    projectIds: [...projects].sort(),
    updatedAt: toTimestamp(now),
  };
  for (const path of request.updateMask ?? []) {
    if (path !== "description")
      throw CommonErrors.INVALID_ARGUMENT({ field: "update_mask", problem: `${path} cannot be changed` });
    next.description = request.flavor?.description;
  }
  return next;
}
