import { z } from "zod";
import { apiConfigSchema } from "../../../pkg/api/config.js";
import { cellsConfig } from "../../../pkg/cells/index.js";
import { conductorConfig } from "../../../pkg/conductor/index.js";
import { computeConfig } from "../../../pkg/compute/config.js";
import { vendordataConfig, vendordataDynamicAuthConfig } from "../../../pkg/compute/vendordata/index.js";
import { consoleConfig } from "../../../pkg/console/index.js";
import { gatewayConfig } from "../../../pkg/gateway/config.js";
import { placementCorsConfig } from "../../../pkg/gateway-placement/index.js";
import { placementConfig } from "../../../pkg/placement/config.js";
import { schedulerConfig } from "../../../pkg/scheduler/index.js";
import { restConfig } from "../../../pkg/platform/http/index.js";
import { sharingConfig } from "../../../pkg/platform/sharing/index.js";
import { telemetryConfig } from "../../../pkg/platform/telemetry/index.js";
import { loginsConfig } from "../../../pkg/standalone/identity/index.js";
import type { ConfigOf } from "../../../pkg/platform/config/index.js";
import { imageConfig } from "../../../pkg/standalone/image/index.js";
import { volumeConfig } from "../../../pkg/standalone/volume/index.js";
import { identityConfig, policyConfig } from "../../shared/sections.js";

const upConfig = z
  .object({
    standalone: z
      .boolean()
      .default(true)
      .describe(
        "Whether this process also runs Identity, Image, Network and Block Storage; false uses the services that the section `identity` leads to, with their users, images, networks and volumes.",
      ),
  })
  .describe("The whole cloud in one process.");

/** Every section of the configuration; source of docs/config.md. */
export const sections = {
  up: upConfig,
  identity: identityConfig,
  logins: loginsConfig,
  telemetry: telemetryConfig,
  policy: policyConfig,
  gateway: gatewayConfig,
  rest: restConfig,
  sharing: sharingConfig,
  api: apiConfigSchema,
  cells: cellsConfig,
  scheduler: schedulerConfig,
  conductor: conductorConfig,
  placement: placementConfig,
  placementCors: placementCorsConfig,
  compute: computeConfig,
  image: imageConfig,
  volume: volumeConfig,
  console: consoleConfig,
  vendordata: vendordataConfig,
  vendordataDynamicAuth: vendordataDynamicAuthConfig,
} as const;

export type KilonovaConfig = ConfigOf<typeof sections>;

/** Environment variables with our prefix that are no options. */
export const otherVariables = [
  "KILONOVA_HOME",
  "KILONOVA_DEBIAN",
  "KILONOVA_TEST_PG",
  "KILONOVA_TEST_COUNTS",
];
