export { syncPath, writeFileAtomic } from "./atomic-file.js";
export { makeFolder } from "./folder.js";
export { ifAlive, ifAliveSync, ifThere, ifThereSync } from "./if-there.js";
