import type { Ctx } from "../kernel/ctx.js";
import type { Client } from "../platform/rpc/index.js";
import type { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";

/** Hints to conductors. Losing one costs a second; failing never matters. */
export interface Waker {
  wake(ctx: Ctx, database: string, operation: string): void;
}

/** Says who is alive now, from leases; timestamps in records only say who once was. */
export interface Liveness {
  /** Whether the service process (`nova-compute`, …) of a logical host holds its lease. */
  isAlive(binary: string, host: string): boolean;
}

/** The parts of placement that hosts' records go with. */
export type PlacementPort = Pick<Client<PlacementServiceDefinition>, "syncProviderTree" | "deleteProvider">;
