export { buildGateway } from "./wire.js";
export type { Gateway, GatewayDeps } from "./wire.js";
export { gatewayConfig } from "./config.js";
export type { GatewayConfig } from "./config.js";
export type { GatewayPolicy } from "./ports.js";
