import type { Server } from "../../gen/kilonova/cells/v1/server.js";
import type { Holding } from "./operation-declaration.js";

/** What a server holds of its project's quota while it counts: by its flavor. */
export const holdingOf = ({ flavor }: Pick<Server, "flavor">): Holding => ({
  instances: 1,
  cores: flavor?.vcpus ?? 0,
  ram: flavor?.memoryMib ?? 0,
});

/** What a server holds that may be either of two: the more of each resource. */
export const largerOf = (one: Holding, other: Holding): Holding => ({
  instances: Math.max(one.instances, other.instances),
  cores: Math.max(one.cores, other.cores),
  ram: Math.max(one.ram, other.ram),
});
