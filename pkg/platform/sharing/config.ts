import { z } from "zod";

const count = (least: number, fallback: number, text: string) =>
  z.number().int().min(least).default(fallback).describe(text);

/** Options of how a process shares itself among projects. */
export const sharingConfig = z
  .object({
    enabled: z
      .boolean()
      .default(true)
      .describe("Whether requests of users take turns by project; false lets everything in as it comes."),
    concurrency: count(1, 16, "Requests of a project that are worked on at once while no other is active."),
    sharedConcurrency: count(
      1,
      2,
      "Requests at once that all active projects divide among them, at least one each; small, since everything that is worked on slows the others.",
    ),
    activeMs: count(100, 2_000, "How long after its last request a project counts as active, ms."),
    longMs: count(
      100,
      500,
      "A request that takes longer than this no longer takes up its project's share, ms: it waits for something else.",
    ),
    longRequests: count(0, 16, "How many of a project's requests may take longer than that at once."),
    maxRequests: count(
      1,
      256,
      "Requests of all projects that are worked on at once, those that take long aside.",
    ),
    queueLength: count(0, 256, "Requests of a project that may wait for their turn; more are refused: 429."),
    queueMs: count(1, 10_000, "How long a request may wait for its turn, ms; then it is refused: 503."),
    waitsPerProject: count(
      1,
      500,
      "Calls of a project over gRPC that may wait for an operation's end at once; more are refused.",
    ),
    waitsPerToken: count(1, 200, "The same for one token."),
  })
  .describe(
    "How a process that serves users shares its work among their projects. Our own services (role `service`) are not held back.",
  );

export type SharingConfig = z.output<typeof sharingConfig>;
