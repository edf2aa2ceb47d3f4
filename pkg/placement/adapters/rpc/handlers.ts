import type { PlacementServiceDefinition } from "../../../../gen/kilonova/placement/v1/placement_service.js";
import type { Handlers } from "../../../platform/rpc/index.js";

/** All RPCs of the service; each file of this folder has some of them. */
export type PlacementHandlers = Handlers<typeof PlacementServiceDefinition>;
