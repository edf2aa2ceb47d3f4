import { z } from "zod";
import { vendordataConfig, vendordataDynamicAuthConfig } from "../../pkg/compute/vendordata/index.js";
import { secret } from "../../pkg/platform/config/index.js";
import { restConfig } from "../../pkg/platform/http/index.js";
import { clusterSections } from "../../pkg/platform/service/index.js";
import { identityConfig } from "../shared/sections.js";

const metadataConfig = z
  .object({
    listen: z
      .string()
      .default("127.0.0.1:8775")
      .describe("host:port for the network agents' metadata proxies and load balancers; never for guests."),
    sharedSecret: secret(z.string().default("")).describe(
      "Secret with which the proxies sign X-Instance-ID (Neutron's metadata_proxy_shared_secret); must be set.",
    ),
    cell: z.string().default("cell1").describe("Cell whose guests are answered; one process per cell."),
    metadataCacheExpirationMs: z
      .number()
      .int()
      .min(0)
      .default(1000)
      .describe(
        "How long a guest may see old metadata after a change, in ms; 0 reads its record at each request.",
      ),
    dhcpDomain: z
      .string()
      .default("novalocal")
      .describe("DNS domain of guests; empty for none. The same as compute's."),
  })
  .describe("The metadata service for proxies.");

export const sections = {
  ...clusterSections,
  identity: identityConfig,
  metadata: metadataConfig,
  rest: restConfig,
  vendordata: vendordataConfig,
  vendordataDynamicAuth: vendordataDynamicAuthConfig,
} as const;
