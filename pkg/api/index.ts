export { buildApi } from "./wire.js";
export type { ApiService } from "./wire.js";
export type { ApiDeps, ImagesPort, NetworksPort, ProjectsPort } from "./ports.js";
export { apiConfigSchema } from "./config.js";
export type { ApiConfig } from "./config.js";
export { agentChannels } from "./agent-channels.js";
export type { AgentChannels } from "./agent-channels.js";
