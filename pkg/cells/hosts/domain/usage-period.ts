import type { RecordUsageAuditRequest } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";

/** Nova's name of what is written down. */
export const USAGE_AUDIT = "instance_usage_audit";

/** A period that is over. */
export interface UsagePeriod {
  readonly beginning: Instant;
  readonly ending: Instant;
}

/** @throws INVALID_ARGUMENT for a period that ends before it begins, or is not over */
export function usagePeriod(
  { periodBeginning, periodEnding }: Pick<RecordUsageAuditRequest, "periodBeginning" | "periodEnding">,
  now: Instant,
): UsagePeriod {
  const beginning = fromTimestampOrNull(periodBeginning);
  const ending = fromTimestampOrNull(periodEnding);
  if (beginning === null)
    throw CommonErrors.INVALID_ARGUMENT({ field: "period_beginning", problem: "must be given" });
  if (ending === null || ending <= beginning || ending > now)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "period_ending",
      problem: "must be given, after its beginning, and not in the future",
    });
  return { beginning, ending };
}

/** When a server ran, and where. */
interface Ran {
  readonly host: unknown;
  readonly launched_at: unknown;
  readonly terminated_at: unknown;
}

/**
 * Whether a server counts: it ran on the host at some time of the period.
 * @source nova db api.py instance_get_active_by_window_joined
 */
export const ranIn = (
  { host, launched_at, terminated_at }: Ran,
  where: string,
  { beginning, ending }: UsagePeriod,
): boolean =>
  host === where &&
  typeof launched_at === "bigint" &&
  launched_at < ending &&
  (typeof terminated_at !== "bigint" || terminated_at > beginning);

/** What operators read of it, as in Nova. */
export const usageMessage = (host: string, servers: number): string =>
  `Instance usage audit ran for host ${host}, ${servers} instances in 0 seconds.`;
