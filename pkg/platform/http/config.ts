import { z } from "zod";

/** What every REST port allows its clients, and whom it believes. */
export const restConfig = z
  .object({
    maxConnections: z
      .number()
      .int()
      .min(2)
      .default(1_000)
      .describe(
        "Connections at once, of each REST port; beyond it the oldest goes on which no valid token ever came, then the one that has been idle for longest, or the new one when there is neither.",
      ),
    maxConnectionsPerAddress: z
      .number()
      .int()
      .min(1)
      .default(500)
      .describe(
        "The same for one client address (IPv6: for one /64); trusted proxies may have `maxConnections`.",
      ),
    maxConnectionsPerProject: z
      .number()
      .int()
      .min(1)
      .default(500)
      .describe(
        "The same for one project: that of the first valid token on a connection. Connections of trusted proxies are nobody's.",
      ),
    headersMs: z
      .number()
      .int()
      .min(100)
      .default(20_000)
      .describe("How long the headers of a request may take to arrive, counted from the connection, ms."),
    idleMs: z
      .number()
      .int()
      .min(100)
      .default(65_000)
      .describe("How long a connection may stay between two requests, ms."),
    trustedProxies: z
      .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
      .default([])
      .describe(
        "Addresses and networks of proxies whose X-Forwarded-Proto and X-Forwarded-For are believed; of others they count for nothing. Like oslo's enable_proxy_headers_parsing, for these peers only.",
      ),
  })
  .describe("What every REST port allows its clients, and whom it believes.");

export type RestConfig = z.output<typeof restConfig>;

/** Bounds of the connections of one port. */
export type ConnectionLimits = Pick<
  RestConfig,
  "maxConnections" | "maxConnectionsPerAddress" | "maxConnectionsPerProject" | "headersMs" | "idleMs"
>;

export const defaultRest: RestConfig = restConfig.parse({});
