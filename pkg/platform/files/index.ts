export { syncPath, writeFileAtomic } from "./atomic-file.js";
