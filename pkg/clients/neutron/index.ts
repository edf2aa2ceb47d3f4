export { changesExtension } from "./ports.js";
export type * from "./ports.js";
export { neutronClient } from "./client.js";
export type { NeutronOptions } from "./client.js";
