export { buildPlacement } from "./wire.js";
export type { PlacementDeps, PlacementService } from "./wire.js";
export { placementConfig } from "./config.js";
export type { PlacementConfig } from "./config.js";
export { placementMigrations } from "./adapters/sql/migrations/index.js";
export type { PlacementTables } from "./adapters/sql/tables.js";
