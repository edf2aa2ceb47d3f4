export { guestVolume } from "./guest-volume.js";
export { VolumeErrors } from "./errors.js";
