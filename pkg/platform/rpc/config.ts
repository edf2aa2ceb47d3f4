import { z } from "zod";

/** Options of what a public port allows its connections. */
export const publicLimitsConfig = {
  maxConnections: z
    .number()
    .int()
    .min(1)
    .default(2_000)
    .describe(
      "Connections at once; beyond it the oldest goes on which no valid token ever came, then the one that has been idle for longest, or the new one when there is neither.",
    ),
  maxConnectionsPerAddress: z
    .number()
    .int()
    .min(1)
    .default(500)
    .describe(
      "The same for one client address (IPv6: for one /64). Raise it when a proxy stands before this port.",
    ),
  maxConnectionsPerProject: z
    .number()
    .int()
    .min(1)
    .default(500)
    .describe("The same for one project: that of the first valid token on a connection."),
  maxStreams: z
    .number()
    .int()
    .min(1)
    .default(1_024)
    .describe("Calls open at once on one connection, those that wait too."),
  idleMs: z
    .number()
    .int()
    .min(100)
    .default(300_000)
    .describe(
      "How long a connection with a caller's token may stay without a call, ms; then the client is asked to go, and connects again when it calls again.",
    ),
  pingMs: z
    .number()
    .int()
    .min(100)
    .default(60_000)
    .describe(
      "How often a client is asked over HTTP/2 whether it is still there, ms; one that does not answer within 20 s, or that time, is cut.",
    ),
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
