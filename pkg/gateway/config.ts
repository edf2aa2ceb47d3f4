import { z } from "zod";

/** Options of the REST gateway. */
export const gatewayConfig = z.object({
  host: z.string().default("127.0.0.1").describe("Address to listen on."),
  port: z
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8774)
    .describe("Port to listen on; 0 takes any free one."),
  linkPrefix: z
    .string()
    .default("")
    .describe(
      "Scheme, host and port of links in answers; empty takes them from each request. Needed behind proxies that change paths.",
    ),
  identityUrl: z
    .string()
    .default("http://127.0.0.1:5000")
    .describe("Identity's public address, told to clients that come without a token."),
  corsOrigins: z
    .array(z.string())
    .default([])
    .describe(
      "Origins of web pages that may call the API; with `kilonova up`, also over Connect, and Identity, Image and Network.",
    ),
  maxBodyBytes: z
    .number()
    .int()
    .min(1024)
    .default(114_688)
    .describe("Largest request body; more answers 413."),
  heartbeatMs: z
    .number()
    .int()
    .min(100)
    .default(15_000)
    .describe("How long a stream of events may be silent; then a comment is sent, so that proxies keep it."),
  requestTimeoutMs: z.number().int().min(100).default(60_000).describe("Time that one request may take."),
  attachWaitMs: z
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(50_000)
    .describe(
      "How long POST os-interface waits for the interface, ms; less than `requestTimeoutMs`. The attachment goes on after that.",
    ),
  fragmentCacheBytes: z
    .number()
    .int()
    .min(0)
    .default(64 * 1024 * 1024)
    .describe("Memory for the finished JSON of servers."),
});

export type GatewayConfig = z.infer<typeof gatewayConfig>;
