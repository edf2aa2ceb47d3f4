export { buildGuestImage } from "./build.js";
export type { GuestImage, GuestImageOptions } from "./build.js";
