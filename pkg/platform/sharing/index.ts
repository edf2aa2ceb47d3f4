export { addressKey } from "./address-key.js";
export { Sharing } from "./sharing.js";
export type { Gate } from "./gate.js";
export { sharingConfig } from "./config.js";
export type { SharingConfig } from "./config.js";
