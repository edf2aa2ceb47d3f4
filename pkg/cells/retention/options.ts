import { z } from "zod";

const LONGEST_DAYS = 36_500;

const days = (value: number, min: number) => z.number().int().min(min).max(LONGEST_DAYS).default(value);

/** Options of what is kept for a time. */
export const retentionOptions = {
  operationKeepDays: days(30, 1).describe("How long operations that have ended can be read, in days."),
  clientTokenKeepDays: days(7, 1).describe(
    "How long a client token is remembered: repeating a call later than that is a new call; in days.",
  ),
  deletedServerKeepDays: days(90, -1).describe(
    "How long records of deleted servers are kept, with their actions, migrations and block devices, in days; -1: for ever. A host that was away for longer keeps the guests of servers that were deleted meanwhile.",
  ),
  usageAuditKeepDays: days(400, 1).describe(
    "How long it is kept how many servers hosts had in a period (`compute.instanceUsageAudit`), in days after its end.",
  ),
};

export const retentionConfig = z.object(retentionOptions);
export type RetentionConfig = z.output<typeof retentionConfig>;

const DAY_MS = 86_400_000;

/** @returns undefined for -1, which is for ever */
export const daysMs = (count: number): number | undefined => (count < 0 ? undefined : count * DAY_MS);
