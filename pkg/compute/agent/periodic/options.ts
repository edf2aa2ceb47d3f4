import { z } from "zod";
import { AUDIT_PERIOD } from "./audit-period.js";

const DAY_S = 86_400;

const everyS = (value: number, what: string) =>
  z
    .number()
    .int()
    .min(-1)
    .max(31 * DAY_S)
    .default(value)
    .describe(
      `${what}, in seconds, each time up to a fifth earlier or later; 0 stands for 60, -1 for never.`,
    );

/** Options of what agents do again and again, with Nova's names and defaults where Nova has it too. */
export const periodicOptions = {
  auditIntervalMs: z
    .number()
    .int()
    .min(1000)
    .default(60_000)
    .describe(
      "How often the host's inventory is compared with what is registered, in ms; each time up to a fifth earlier or later. Every fifth time the host registers anew even if nothing has changed.",
    ),
  syncPowerStateIntervalS: everyS(
    600,
    "How often what guests do is compared with what their records say they should",
  ),
  runningDeletedInstancePollIntervalS: everyS(1_800, "How often guests of deleted servers are looked for"),
  imageCacheManagerIntervalS: everyS(2_400, "How often base images that no guest uses are looked for"),
  removeUnusedBaseImages: z
    .boolean()
    .default(true)
    .describe("Whether base images that no guest has used for `imageKeepHours` are removed."),
  imageKeepHours: z
    .number()
    .int()
    .min(0)
    .default(24)
    .describe(
      "How long a base image is kept after it was asked for last and a guest used it last, in hours (Nova's `remove_unused_original_minimum_age_seconds`).",
    ),
  instanceUsageAudit: z
    .boolean()
    .default(false)
    .describe("Whether it is written down how many servers a host had in each period."),
  instanceUsageAuditPeriod: z
    .string()
    .regex(AUDIT_PERIOD, "must be hour, day, month or year, with @ and where in it a period begins")
    .default("month")
    .describe(
      "Such a period: `hour`, `day`, `month` or `year` of UTC, as in Nova also `hour@30`, `day@18`, `month@15`, `year@3`.",
    ),
  journalCompactIntervalS: everyS(
    600,
    "How often the journal of commands is looked at, and cut if it has grown",
  ),
};

/** These options alone. */
export const periodicConfig = z.object(periodicOptions);

export type PeriodicConfig = z.output<typeof periodicConfig>;

/** An interval as Nova writes it, in ms; 0 for never. */
export const intervalMs = (seconds: number): number => (seconds === 0 ? 60 : Math.max(0, seconds)) * 1000;
