import { z } from "zod";
import { consoleConfig } from "../../pkg/console/index.js";
import { restConfig } from "../../pkg/platform/http/index.js";
import { clusterSections } from "../../pkg/platform/service/index.js";

const consoleRest = z
  .object({
    listen: z
      .string()
      .default("127.0.0.1:6080")
      .describe("host:port for browsers and terminals, behind something that speaks TLS to them."),
  })
  .describe("Where the console proxy listens.");

export const sections = {
  ...clusterSections,
  console: consoleConfig,
  consoleRest,
  rest: restConfig,
} as const;
