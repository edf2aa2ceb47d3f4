export { placementGateway } from "./app.js";
export type { PlacementGatewayDeps } from "./app.js";
