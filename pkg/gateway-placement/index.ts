export { placementGateway } from "./app.js";
export { placementCorsConfig } from "./config.js";
export type { PlacementGatewayDeps } from "./app.js";
