export { driverNames, drivers } from "./drivers/index.js";
export type { DriverName } from "./drivers/index.js";
export { endGuestsBelow } from "./drivers/qemu/index.js";
export { computeConfig } from "./config.js";
export type { ComputeConfig } from "./config.js";
export { vendordataConfig, vendordataDynamicAuthConfig } from "./vendordata/index.js";
export type { Agent, HostCapacity } from "./agent/agent.js";
export { isolationLines } from "./isolation-lines.js";
export type { ComputeDeps, HostFacts, HostRegistry } from "./wire.js";
