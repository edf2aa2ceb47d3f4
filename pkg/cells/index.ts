export { buildCells } from "./wire.js";
export type { CellsDeps, CellsService, CellSource } from "./wire.js";
export { cellsConfig } from "./config.js";
export type { CellsConfig } from "./config.js";
export { globalMigrations } from "./adapters/sql/migrations/global.js";
export { cellMigrations } from "./adapters/sql/migrations/cell.js";
export type { Liveness, PlacementPort, Waker } from "./ports.js";
export type { SecretKey } from "./adapters/secret-box.js";
