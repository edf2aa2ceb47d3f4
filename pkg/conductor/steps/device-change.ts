import type { BlockDeviceChange, BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";

/** New values of some fields of a server's block device. @param paths  of BlockDeviceRecord */
export const changeOf = (device: BlockDeviceRecord, paths: readonly string[]): BlockDeviceChange => ({
  device,
  updateMask: [...paths],
  remove: false,
});
