export type * from "./ports.js";
export { imageRefOf } from "./wire.js";
export { glanceClient } from "./client.js";
export type { GlanceOptions } from "./client.js";
