import { z } from "zod";
import { apiConfigSchema } from "../../pkg/api/index.js";
import { publicLimitsConfig } from "../../pkg/platform/rpc/index.js";
import { sharingConfig } from "../../pkg/platform/sharing/index.js";
import { clusterSections } from "../../pkg/platform/service/index.js";
import { identityConfig, keyList, policyConfig } from "../shared/sections.js";

const publicGrpcConfig = z
  .object({
    listen: z
      .string()
      .default("127.0.0.1:8770")
      .describe(
        "host:port of the public API over gRPC and Connect, for clients with tokens; empty does not serve it.",
      ),
    tlsCertFile: z
      .string()
      .default("")
      .describe(
        "PEM file: certificate for clients; empty serves plain text, for loopback or behind a proxy that does TLS.",
      ),
    tlsKeyFile: z.string().default("").describe("PEM file: its private key."),
    corsOrigins: z
      .array(z.string())
      .default([])
      .describe("Origins of web pages that may call over Connect; `*` stands for all."),
    ...publicLimitsConfig,
  })
  .describe("The API for users, over gRPC and Connect.");

const tokensConfig = z
  .object({
    keys: keyList(
      "Keys for page and resume tokens, each with `id` and `key` (32 bytes, base64); the same list in every api process, and not those of `sealing`. The first seals, all open: put new ones in front, and take old ones away a day later.",
    ),
  })
  .describe("Tokens that clients carry from one answer to the next request.");

export const sections = {
  ...clusterSections,
  identity: identityConfig,
  policy: policyConfig,
  api: apiConfigSchema,
  tokens: tokensConfig,
  publicGrpc: publicGrpcConfig,
  sharing: sharingConfig,
} as const;

export type PublicGrpcConfig = z.output<typeof publicGrpcConfig>;
