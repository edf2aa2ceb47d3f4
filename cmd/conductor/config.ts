import { conductorConfig } from "../../pkg/conductor/index.js";
import { clusterSections } from "../../pkg/platform/service/index.js";
import { identityConfig } from "../shared/sections.js";

export const sections = { ...clusterSections, identity: identityConfig, conductor: conductorConfig } as const;
