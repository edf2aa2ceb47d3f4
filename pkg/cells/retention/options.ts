import { z } from "zod";

const LONGEST_DAYS = 36_500;

const days = (value: number) => z.number().int().min(1).max(LONGEST_DAYS).default(value);

/** Options of what is kept for a time. */
export const retentionOptions = {
  operationKeepDays: days(30).describe(
    "How long operations that have ended can be read, in days; at least as long as client tokens are kept.",
  ),
  clientTokenKeepDays: days(7).describe(
    "How long a client token is remembered after the end of what it began: repeating the call later than that is a new call; in days.",
  ),
  deletedServerKeepDays: z
    .number()
    .int()
    .min(-1)
    .max(LONGEST_DAYS)
    .refine((count) => count !== 0, "must be -1 or at least 1")
    .default(90)
    .describe(
      "How long records of deleted servers are kept, with their actions, migrations and block devices, in days; -1: for ever. A host that was away for longer keeps the guests of servers that were deleted meanwhile.",
    ),
  usageAuditKeepDays: days(400).describe(
    "How long it is kept how many servers hosts had in a period (`compute.instanceUsageAudit`), in days after its end.",
  ),
};

export const retentionConfig = z.object(retentionOptions);
export type RetentionConfig = z.output<typeof retentionConfig>;

const DAY_MS = 86_400_000;

/** @returns undefined for -1, which is for ever */
export const daysMs = (count: number): number | undefined => (count < 0 ? undefined : count * DAY_MS);
