import { clusterSections } from "../../pkg/platform/service/index.js";
import { schedulerConfig } from "../../pkg/scheduler/index.js";

export const sections = { ...clusterSections, scheduler: schedulerConfig } as const;
