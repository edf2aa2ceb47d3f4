import { z } from "zod";
import { secret } from "../../pkg/platform/config/index.js";
import { clusterSections } from "../../pkg/platform/service/index.js";

const metadataConfig = z.object({
  listen: z.string().default("127.0.0.1:8775").describe("host:port for the network agents' metadata proxies; never for guests."),
  sharedSecret: secret(z.string().default("")).describe("Secret with which the proxies sign X-Instance-ID (Neutron's metadata_proxy_shared_secret); must be set."),
  cell: z.string().default("cell1").describe("Cell whose guests are answered; one process per cell."),
  dhcpDomain: z.string().default("novalocal").describe("DNS domain of guests; empty for none. The same as compute's."),
}).describe("The metadata service for proxies.");

export const sections = { ...clusterSections, metadata: metadataConfig } as const;
