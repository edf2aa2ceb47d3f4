import { z } from "zod";

const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    "must be an origin, such as https://dashboard.example.com",
  );

/** Options of the console proxy. */
export const consoleConfig = z
  .object({
    allowedOrigins: z
      .array(origin)
      .default([])
      .describe(
        "Origins of pages that may open consoles and show them in a frame, beside the proxy's own: a dashboard's, say.",
      ),
    maxConnections: z.number().int().min(1).default(1_000).describe("Consoles open through this process."),
    maxConnectionsPerProject: z.number().int().min(1).default(100).describe("Of these, of one project."),
    maxConnectionsPerServer: z.number().int().min(1).default(8).describe("Of these, of one server."),
    idleMs: z
      .number()
      .int()
      .min(1_000)
      .default(1_800_000)
      .describe("A console on which nobody types or clicks for so long is closed, ms."),
    enforceTokenEnd: z
      .boolean()
      .default(false)
      .describe("Whether a console is closed when its address ends; otherwise only no new one is opened."),
  })
  .describe("The console proxy: pages and web sockets for the consoles of servers.");

export type ConsoleConfig = Readonly<z.output<typeof consoleConfig>>;
