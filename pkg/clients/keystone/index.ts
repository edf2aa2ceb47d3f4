export type * from "./ports.js";
export { keystoneClient } from "./client.js";
export type { KeystoneOptions } from "./client.js";
export type { ServiceCredentials } from "./service-session.js";
export type { TokenBeliefOptions } from "./token-validator.js";
export { serviceCaller } from "./authenticated.js";
export type { ServiceCaller, ServiceRequest } from "./authenticated.js";
