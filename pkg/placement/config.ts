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
    maxSearchSteps: z
      .number()
      .int()
      .min(1000)
      .max(100_000_000)
      .default(200_000)
      .describe(
        "Most tries of one provider for one request group in one search for allocation candidates. A search that ends here gives what it has found, or SEARCH_BUDGET_EXHAUSTED.",
      ),
    maxSearchMs: z
      .number()
      .int()
      .min(10)
      .max(60_000)
      .default(1000)
      .describe("Most computing time of one such search, in milliseconds; it rests as long as it computes."),
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
