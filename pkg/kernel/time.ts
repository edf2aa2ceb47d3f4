/**
 * Microseconds since 1970-01-01T00:00:00Z. Never a Date: OpenStack shows microseconds and Date drops them.
 */
export type Instant = bigint & { readonly __brand?: "Instant" };

/** Source of the current time; handed in so that decisions and tests stay repeatable. */
export interface Clock {
  /** Wall clock, UTC. */
  now(): Instant;
  /** Milliseconds on a clock that only moves forward; for durations and deadlines within one process. */
  monotonicMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

const MICROS = 1_000_000n;

/** @returns e.g. `2026-11-22T11:39:16.123456` (no zone; OpenStack's long form) */
export function isoMicros(at: Instant): string {
  // Of numbers rather than bigints where they are exact, which is until the year 2255.
  const all = Number(at);
  const isExact = Number.isSafeInteger(all);
  const seconds = isExact ? Math.floor(all / 1e6) : Number(floorDiv(at, MICROS));
  const micros = isExact ? all - seconds * 1e6 : Number(at - BigInt(seconds) * MICROS);
  return `${dateTime(seconds)}.${String(1e6 + micros).slice(1)}`;
}

/** @returns e.g. `2026-11-22T11:39:16Z` (OpenStack's short form; fractions are cut, as Nova does) */
export function isoSeconds(at: Instant): string {
  return `${dateTime(Number(floorDiv(at, MICROS)))}Z`;
}

const DAY_SECONDS = 86_400;
const SIXTY = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, "0"));
/** The last day that was written: most times of a list or a row are of the same one. */
let lastDay = { number: 0, text: "1970-01-01" };

/** @returns e.g. `2026-11-22T11:39:16` */
function dateTime(seconds: number): string {
  const number = Math.floor(seconds / DAY_SECONDS);
  if (number !== lastDay.number)
    lastDay = { number, text: new Date(number * DAY_SECONDS * 1000).toISOString().slice(0, -14) };
  const ofDay = seconds - number * DAY_SECONDS;
  const [hour, minute] = [Math.floor(ofDay / 3600), Math.floor(ofDay / 60) % 60];
  return `${lastDay.text}T${SIXTY[hour]}:${SIXTY[minute]}:${SIXTY[ofDay % 60]}`;
}

/** What databases and clients take. */
const YEAR_ONE = -62_135_596_800_000_000n;
const END_OF_9999 = 253_402_300_799_999_999n;

/**
 * Parses ISO 8601 with optional fraction (up to 9 digits, cut to micros) and zone (`Z`, `+hh:mm`; none means
 * UTC).
 * @returns undefined when the text is no valid time, or one outside the years 1 to 9999 in UTC
 */
export function parseIso(text: string): Instant | undefined {
  const m =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i.exec(
      text.trim(),
    );
  if (!m) return undefined;
  const [, y, mo, d, h = "00", mi = "00", s = "00", fraction = "", zone = "Z"] = m;
  // Not Date.UTC, for which the years 0 to 99 are of the twentieth century.
  const back = new Date(0);
  back.setUTCFullYear(Number(y), Number(mo) - 1, Number(d));
  const ms = back.setUTCHours(Number(h), Number(mi), Number(s));
  if (
    Number.isNaN(ms) ||
    back.getUTCMonth() !== Number(mo) - 1 ||
    back.getUTCDate() !== Number(d) ||
    Number(h) > 23 ||
    Number(mi) > 59 ||
    Number(s) > 59
  )
    return undefined;
  const at =
    BigInt(ms) * 1000n +
    BigInt(fraction.slice(0, 6).padEnd(6, "0")) -
    BigInt(zoneMinutes(zone)) * 60n * MICROS;
  return at < YEAR_ONE || at > END_OF_9999 ? undefined : at;
}

function zoneMinutes(zone: string): number {
  if (zone.toUpperCase() === "Z") return 0;
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  return (zone.startsWith("-") ? -1 : 1) * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2)));
}

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}
