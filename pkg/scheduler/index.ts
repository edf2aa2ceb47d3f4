export { buildScheduler } from "./wire.js";
export type { SchedulerDeps, SchedulerService } from "./wire.js";
export { schedulerConfig } from "./config.js";
export type { SchedulerConfig } from "./config.js";
export type { Liveness } from "./ports.js";
