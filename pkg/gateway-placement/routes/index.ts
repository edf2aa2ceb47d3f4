import type { Route } from "../call.js";
import { allocationRoutes } from "./allocations.js";
import { candidateRoutes } from "./candidates.js";
import { inventoryRoutes } from "./inventories.js";
import { nameRoutes } from "./names.js";
import { providerRoutes } from "./providers.js";
import { rootRoutes } from "./root.js";
import { shapeRoutes } from "./shapes.js";
import { usageRoutes } from "./usages.js";

/** Every route of the Placement API; literal paths come before those with parameters. */
export const routes: readonly Route[] = [
  ...rootRoutes,
  ...providerRoutes,
  ...inventoryRoutes,
  ...shapeRoutes,
  ...usageRoutes,
  ...allocationRoutes,
  ...candidateRoutes,
  ...nameRoutes,
];
