export type * from "./ports.js";
export { cinderClient } from "./client.js";
export type { CinderOptions } from "./client.js";
