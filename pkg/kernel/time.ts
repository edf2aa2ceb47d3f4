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
  const seconds = floorDiv(at, MICROS);
  const micros = at - seconds * MICROS;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${micros.toString().padStart(6, "0")}`;
}

/** @returns e.g. `2026-11-22T11:39:16Z` (OpenStack's short form; fractions are cut, as Nova does) */
export function isoSeconds(at: Instant): string {
  return `${new Date(Number(floorDiv(at, MICROS)) * 1000).toISOString().slice(0, 19)}Z`;
}

/**
 * Parses ISO 8601 with optional fraction (up to 9 digits, cut to micros) and zone (`Z`, `+hh:mm`; none means
 * UTC).
 * @returns undefined when the text is no valid time
 */
export function parseIso(text: string): Instant | undefined {
  const m =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i.exec(
      text.trim(),
    );
  if (!m) return undefined;
  const [, y, mo, d, h = "00", mi = "00", s = "00", fraction = "", zone = "Z"] = m;
  const ms = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
  const back = new Date(ms);
  if (
    Number.isNaN(ms) ||
    back.getUTCMonth() !== Number(mo) - 1 ||
    back.getUTCDate() !== Number(d) ||
    Number(h) > 23 ||
    Number(mi) > 59 ||
    Number(s) > 59
  )
    return undefined;
  return (
    BigInt(ms) * 1000n +
    BigInt(fraction.slice(0, 6).padEnd(6, "0")) -
    BigInt(zoneMinutes(zone)) * 60n * MICROS
  );
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
