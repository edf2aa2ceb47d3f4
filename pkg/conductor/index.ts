export { buildConductor } from "./wire.js";
export type { ConductorDeps, ConductorService } from "./wire.js";
export { conductorConfig } from "./config.js";
export type { ConductorConfig } from "./config.js";
