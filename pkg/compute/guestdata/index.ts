export type {
  Ec2Ids,
  GuestData,
  GuestDevice,
  GuestFile,
  GuestKey,
  GuestNetwork,
  GuestSubnet,
  JsonObject,
  JsonValue,
} from "./guest-data.js";
export { buildMetadataTree } from "./tree.js";
export { configDriveFiles } from "./config-drive.js";
export { ec2IdsFor } from "./ec2.js";
export { ec2VersionList } from "./versions.js";
