export { buildGuestImage, missingTools } from "./build.js";
export type { GuestImage, GuestImageOptions } from "./build.js";
