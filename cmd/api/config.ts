import { z } from "zod";
import { apiConfigSchema } from "../../pkg/api/index.js";
import { secret } from "../../pkg/platform/config/index.js";
import { telemetryConfig } from "../../pkg/platform/telemetry/index.js";

/** How users and gateways reach the api. */
const listenConfig = z.object({
  publicAddress: z.string().default("127.0.0.1:8770").describe("host:port for SDK clients, who come with a token. Empty opens none."),
  publicTlsCertFile: z.string().default("").describe("Certificate of the public port; empty means plain text, for loopback or behind a proxy."),
  publicTlsKeyFile: z.string().default("").describe("Its private key."),
  address: z.string().default("127.0.0.1:8771").describe("host:port for gateways."),
}).describe("Where the api listens.");

/** Who we are to other services. */
const clusterConfig = z.object({
  tlsCaFile: z.string().default("").describe("Certificates of the cluster's authority; empty means plain text, for loopback only."),
  tlsCertFile: z.string().default("").describe("The api's certificate; it names kilonova://<cell>/api."),
  tlsKeyFile: z.string().default("").describe("Its private key."),
  cellsAddress: z.string().default("127.0.0.1:8772").describe("host:port of the cells service."),
}).describe("The api among the other services.");

/** Where the token validation happens, and as whom. */
const identityConfig = z.object({
  authUrl: z.string().default("http://127.0.0.1:5000/v3").describe("Identity's address for services."),
  username: z.string().default("nova").describe("User of the services."),
  password: secret(z.string().default("")).describe("Password of that user."),
  projectName: z.string().default("service").describe("Project of that user."),
  domainName: z.string().default("Default").describe("Domain of the user and the project."),
  region: z.string().default("RegionOne").describe("Region whose endpoints are used."),
}).describe("How services reach Identity.");

const policyConfig = z.object({ file: z.string().default("").describe("Policy overrides in YAML. Empty means the defaults.") }).describe("Policy.");

/** Every section of the api's configuration. */
export const sections = { telemetry: telemetryConfig, api: apiConfigSchema, listen: listenConfig, cluster: clusterConfig, identity: identityConfig, policy: policyConfig } as const;
