import type { Instant } from "../../../kernel/index.js";

/** A stretch of time, its end not included. */
export interface AuditPeriod {
  readonly beginning: Instant;
  readonly ending: Instant;
}

/** `hour`, `day`, `month` or `year`, with `@` and where in it a period begins: `day@18`, `month@15`. */
export const AUDIT_PERIOD =
  /^(?:hour(?:@[1-5]?\d)?|day(?:@(?:1?\d|2[0-3]))?|month(?:@(?:1?\d|2[0-8]))?|year(?:@(?:\d|1[0-2]))?)$/;

type Unit = "hour" | "day" | "month" | "year";

/** The beginning of the period `turn` periods after the one of that time. */
function beginningOf(at: Date, unit: Unit, offset: number, turn: number): number {
  const [year, month, day, hour] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours()];
  switch (unit) {
    case "year":
      return Date.UTC(year + turn, Math.max(1, offset) - 1, 1);
    case "month":
      return Date.UTC(year, month + turn, Math.max(1, offset));
    case "day":
      return Date.UTC(year, month, day + turn, offset);
    case "hour":
      return Date.UTC(year, month, day, hour + turn, offset);
  }
}

/**
 * The last period that is over.
 * @param period  matches AUDIT_PERIOD; times are UTC
 * @source nova utils.py last_completed_audit_period
 */
export function lastCompletedPeriod(period: string, now: Instant): AuditPeriod {
  const [unit = "month", offset = "0"] = period.split("@");
  const nowMs = Number(now / 1000n);
  const beginning = (turn: number): number =>
    beginningOf(new Date(nowMs), unit as Unit, Number(offset), turn);
  const last = BigInt(beginning(0)) * 1000n < now ? 0 : -1;
  return { beginning: BigInt(beginning(last - 1)) * 1000n, ending: BigInt(beginning(last)) * 1000n };
}
