export { syncPath, writeFileAtomic } from "./atomic-file.js";
export { makeFolder } from "./folder.js";
