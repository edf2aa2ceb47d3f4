export type * from "./ports.js";
export { imageRefOf } from "./image-ref.js";
export { glanceClient } from "./client.js";
export type { GlanceOptions } from "./client.js";
