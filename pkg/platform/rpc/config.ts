import { z } from "zod";

/** Options of what a public port allows its connections. */
export const publicLimitsConfig = {
  maxConnections: z
    .number()
    .int()
    .min(1)
    .default(2_000)
    .describe(
      "Connections at once; beyond it the oldest goes on which no valid token ever came, or the new one when there is none.",
    ),
  maxConnectionsPerAddress: z
    .number()
    .int()
    .min(1)
    .default(500)
    .describe("The same for one client address. Raise it when a proxy stands before this port."),
  maxStreams: z
    .number()
    .int()
    .min(1)
    .default(1_024)
    .describe("Calls open at once on one connection, those that wait too."),
  strangerMs: z
    .number()
    .int()
    .min(100)
    .default(20_000)
    .describe("How long a connection may stay on which no valid token came, ms."),
  strangerBytes: z
    .number()
    .int()
    .min(1_024)
    .default(1_048_576)
    .describe("How many bytes may come in on it until then."),
} as const;

/** See `publicLimitsConfig`. */
export type PublicLimits = { readonly [K in keyof typeof publicLimitsConfig]: number };

export const defaultPublicLimits: PublicLimits = z.object(publicLimitsConfig).parse({});
