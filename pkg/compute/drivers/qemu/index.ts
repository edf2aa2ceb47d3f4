export { endGuestsBelow } from "./end-below.js";
export { QemuDriver } from "./driver.js";
export { qemuDefaults } from "./config.js";
export type { QemuConfig } from "./config.js";
