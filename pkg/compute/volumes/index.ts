export { guestVolume, keyOf } from "./guest-volume.js";
export { VolumeErrors } from "./errors.js";
