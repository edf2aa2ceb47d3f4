import { PlacementServiceDefinition } from "../../../../gen/kilonova/placement/v1/placement_service.js";
import { bindService } from "../../../platform/rpc/index.js";
import type { ServiceBinding } from "../../../platform/rpc/index.js";
import type { PlacementOps } from "../../ops/index.js";
import { allocationHandlers } from "./allocations.js";
import { nameHandlers } from "./names.js";
import { providerHandlers } from "./providers.js";
import { searchHandlers } from "./search.js";

/** The PlacementService over these operations: translation only. */
export const placementBinding = (ops: PlacementOps): ServiceBinding =>
  bindService(PlacementServiceDefinition, {
    ...providerHandlers(ops),
    ...allocationHandlers(ops),
    ...nameHandlers(ops),
    ...searchHandlers(ops),
  });
