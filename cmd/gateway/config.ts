import { z } from "zod";
import { gatewayConfig } from "../../pkg/gateway/index.js";
import { placementCorsConfig } from "../../pkg/gateway-placement/index.js";
import { restConfig } from "../../pkg/platform/http/index.js";
import { sharingConfig } from "../../pkg/platform/sharing/index.js";
import { clusterSections } from "../../pkg/platform/service/index.js";
import { identityConfig, policyConfig } from "../shared/sections.js";

const placementRestConfig = z
  .object({
    listen: z
      .string()
      .default("127.0.0.1:8778")
      .describe("host:port of the Placement REST API; empty does not serve it."),
  })
  .describe("The REST gateway of Placement; `gateway.identityUrl` holds for it too.");

export const sections = {
  ...clusterSections,
  identity: identityConfig,
  policy: policyConfig,
  gateway: gatewayConfig,
  placementRest: placementRestConfig,
  placementCors: placementCorsConfig,
  sharing: sharingConfig,
  rest: restConfig,
} as const;
