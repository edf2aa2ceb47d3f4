import { z } from "zod";

const SIMPLE = "Those that every page may use need not be listed.";

/** Which browsers' pages may call the Placement API. Names and meanings are those of oslo.middleware. */
export const placementCorsConfig = z
  .object({
    allowedOrigin: z
      .array(z.string())
      .default([])
      .describe(
        "Origins of pages that may call, such as https://dashboard.example; `*` for all. Empty: none.",
      ),
    allowCredentials: z.boolean().default(true).describe("Whether such pages may send cookies."),
    exposeHeaders: z
      .array(z.string())
      .default([])
      .describe(`Headers of answers that such pages may read. ${SIMPLE}`),
    maxAge: z
      .number()
      .int()
      .min(0)
      .max(86_400)
      .default(3600)
      .describe("How long a browser may remember the answer to its question, in seconds."),
    allowMethods: z
      .array(z.string())
      .default(["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "PATCH"])
      .describe("Methods that such pages may use."),
    allowHeaders: z
      .array(z.string())
      .default([])
      .describe(`Headers that such pages may send, such as X-Auth-Token. ${SIMPLE}`),
  })
  .describe("Calls of the Placement REST API from browsers (CORS).");

export type PlacementCors = z.infer<typeof placementCorsConfig>;

/** Pages of no origin may call. */
export const noCors: PlacementCors = placementCorsConfig.parse({});
