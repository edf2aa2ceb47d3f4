import { z } from "zod";

const ms = (value: number, min: number, what: string) =>
  z.number().int().min(min).default(value).describe(what);

/** Options of conductors. */
export const conductorConfig = z
  .object({
    maxAttempts: z
      .number()
      .int()
      .min(1)
      .max(20)
      .default(3)
      .describe("Hosts tried for one boot before the server goes to ERROR."),
    maxOperations: z.number().int().min(1).default(64).describe("Operations driven at once by one process."),
    ownershipMs: ms(
      15_000,
      300,
      "How long a silent conductor keeps its operations, in ms; others take over after it.",
    ),
    pollMs: ms(1_000, 10, "How often stored operations are looked for that nobody hinted at, in ms."),
    dormantMs: ms(
      2_000,
      100,
      "Age at which a hand-over counts as cut short and is finished by whoever finds it, in ms.",
    ),
    unclaimedMs: ms(
      300_000,
      100,
      "How long an operation of a kind or version that no conductor has may be ready before it needs an operator, in ms.",
    ),
    agentWaitMs: ms(
      8_000,
      0,
      "How long a step waits for an agent's command before it parks until the agent's report, in ms.",
    ),
    maxDiskDevices: z
      .number()
      .int()
      .min(-1)
      .max(1_000)
      .default(-1)
      .refine((value) => value !== 0, "0 would leave no room for the root disk")
      .describe("Disks that one server may have, its root disk included; -1 for no limit."),
    precacheConcurrency: z
      .number()
      .int()
      .min(1)
      .max(64)
      .default(4)
      .describe("Hosts of an aggregate that fetch images at once when asked to cache them."),
    reimageMsPerGib: ms(
      20_000,
      1,
      "How long Block Storage may take to write a GiB of an image over a root volume, in ms (Nova's reimage_timeout_per_gb); a minute at least.",
    ),
    shutdownTimeoutMs: ms(
      60_000,
      0,
      "Time a guest gets to power itself off, in ms; image property os_shutdown_timeout (s) wins.",
    ),
    stopGraceMs: ms(10_000, 0, "Time running steps get when the process ends, in ms."),
  })
  .describe("Conductors: run stored operations.");

export type ConductorConfig = z.output<typeof conductorConfig>;
