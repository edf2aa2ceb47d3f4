import { z } from "zod";

/** Placement's options. */
export const placementConfig = z
  .object({
    maxBatch: z
      .number()
      .int()
      .min(1)
      .max(1000)
      .default(128)
      .describe("Changes of allocations that may share one transaction."),
    maxCandidates: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe("Allocation candidates given at most, and when a request names no limit."),
    watchPollMs: z
      .number()
      .int()
      .min(10)
      .max(60_000)
      .default(1000)
      .describe("How often a watcher looks for changes that other replicas wrote, in milliseconds."),
    transactionTimeoutMs: z
      .number()
      .int()
      .min(100)
      .max(60_000)
      .default(10_000)
      .describe("Most time for a transaction that serves several callers, in milliseconds."),
    tombstoneRetentionS: z
      .number()
      .int()
      .min(60)
      .max(30 * 86_400)
      .default(86_400)
      .describe("How long undone claims are remembered, in seconds; longer than any message can be late."),
  })
  .describe("The placement service.");

export type PlacementConfig = z.infer<typeof placementConfig>;
