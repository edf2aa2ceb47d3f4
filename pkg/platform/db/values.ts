import pg from "pg";
import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { isoMicros, parseIso } from "../../kernel/time.js";
import type { Instant } from "../../kernel/time.js";

/** The text of an instant for raw SQL, with its zone. Typed queries take the `Instant` itself. */
export const sqlTime = (at: Instant): string => `${isoMicros(at)}Z`;

/**
 * A jsonb value. Needed for arrays and strings, which node-postgres would otherwise send as SQL arrays and
 * bare text.
 */
export const sqlJson = <T>(value: T): RawBuilder<T> => sql<T>`${JSON.stringify(value)}::jsonb`;

/** Object ids of types, fixed in pg_type.dat; CockroachDB uses the same. */
const INT8 = 20,
  INT8_ARRAY = 1016,
  TIMESTAMPTZ = 1184,
  TIMESTAMPTZ_ARRAY = 1185;
const TEXT_ARRAY: number = 1009;

/**
 * How columns arrive: int8 as number, timestamptz as Instant; everything else as node-postgres does it
 * (numeric stays text: cast sums with `::int8`). Given to each pool, so the process-wide defaults stay
 * untouched.
 */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (format !== "binary") {
      const parser = PARSERS.get(oid);
      if (parser !== undefined) return parser;
    }
    return pg.types.getTypeParser(oid, format as "text");
  }) as typeof pg.types.getTypeParser,
};

const parseTextArray: (text: string) => (string | null)[] = pg.types.getTypeParser(TEXT_ARRAY, "text");
const eachOf =
  <T>(parse: (text: string) => T) =>
  (text: string): (T | null)[] =>
    parseTextArray(text).map((item) => (item === null ? null : parse(item)));

const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [INT8, parseInt8],
  [INT8_ARRAY, eachOf(parseInt8)],
  [TIMESTAMPTZ, parseTimestamptz],
  [TIMESTAMPTZ_ARRAY, eachOf(parseTimestamptz)],
]);

/**
 * @throws RangeError beyond 2^53: no column of ours may grow there, and a rounded number would be a silent
 *   lie
 */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 beyond the safe range: ${text}`);
  return value;
}

/**
 * Parses the server's ISO form (sessions run in UTC). @throws RangeError for infinity and years before Christ
 */
export function parseTimestamptz(text: string): Instant {
  if (isUsual(text)) return dayOf(text) + BigInt(ofDay(text));
  const at = parseIso(text);
  if (at === undefined) throw new RangeError(`no representable time: ${text}`);
  return at;
}

/** Whether it is of the form `2026-11-22 11:39:16[.123456]+00`, as nearly all are: lists have thousands. */
const isUsual = (text: string): boolean => text[4] === "-" && text[10] === " " && text.endsWith("+00");
/** The last day that was read: most times of an answer are of the same one. */
let lastDay = { text: "1970-01-01", at: 0n as Instant };

function dayOf(text: string): Instant {
  if (!text.startsWith(lastDay.text)) {
    const day = text.slice(0, 10);
    lastDay = { text: day, at: parseIso(day) ?? 0n };
  }
  return lastDay.at;
}

/** Microseconds since midnight. */
function ofDay(text: string): number {
  const two = (at: number): number => digit(text, at) * 10 + digit(text, at + 1);
  const seconds = two(11) * 3600 + two(14) * 60 + two(17);
  let micros = 0;
  for (let at = 20; at < 26; at++) micros = micros * 10 + (at < text.length - 3 ? digit(text, at) : 0);
  return seconds * 1e6 + micros;
}

const ZERO = "0".charCodeAt(0);
const digit = (text: string, at: number): number => text.charCodeAt(at) - ZERO;

/** What a parameter is sent as: a bigint is always an Instant (int8 columns are numbers here). */
export const toParameter = (value: unknown): unknown => (typeof value === "bigint" ? sqlTime(value) : value);
