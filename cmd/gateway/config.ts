import { z } from "zod";
import { gatewayConfig } from "../../pkg/gateway/index.js";
import { secret } from "../../pkg/platform/config/index.js";
import { telemetryConfig } from "../../pkg/platform/telemetry/index.js";

/** Where the token validation happens, and as whom. */
const identityConfig = z.object({
  authUrl: z.string().default("http://127.0.0.1:5000/v3").describe("Identity's address for services."),
  username: z.string().default("nova").describe("User of the services."),
  password: secret(z.string().default("")).describe("Password of that user."),
  projectName: z.string().default("service").describe("Project of that user."),
  domainName: z.string().default("Default").describe("Domain of the user and the project."),
  region: z.string().default("RegionOne").describe("Region whose endpoints are used."),
}).describe("How services reach Identity.");

/** The way to the api service. */
const apiPeerConfig = z.object({
  address: z.string().default("127.0.0.1:8771").describe("host:port of the api service."),
  tlsCaFile: z.string().default("").describe("Certificates of the authority that signed the api's; empty means plain text, for loopback only."),
  tlsCertFile: z.string().default("").describe("This gateway's certificate; it names kilonova://<cell>/gateway."),
  tlsKeyFile: z.string().default("").describe("Its private key."),
}).describe("The api service as the gateway reaches it.");

const policyConfig = z.object({
  file: z.string().default("").describe("Policy overrides in YAML; must be the same as the api's. Empty means the defaults."),
}).describe("Policy.");

/** Every section of the gateway's configuration. */
export const sections = { telemetry: telemetryConfig, gateway: gatewayConfig, identity: identityConfig, apiPeer: apiPeerConfig, policy: policyConfig } as const;
