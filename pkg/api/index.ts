export { buildApi } from "./wire.js";
export type { ApiService } from "./wire.js";
export type { ApiDeps, ImagesPort, NetworksPort, ProjectsPort } from "./ports.js";
export type { TokenKey } from "./crypto/token-box.js";
export { methodsByRule } from "./rights/methods-by-rule.js";
export { apiConfigSchema } from "./config.js";
export type { ApiConfig } from "./config.js";
export { publicErrors } from "./public-errors.js";
