import { placementConfig } from "../../pkg/placement/index.js";
import { clusterSections, databaseConfig } from "../../pkg/platform/service/index.js";

export const sections = { ...clusterSections, database: databaseConfig, placement: placementConfig } as const;
