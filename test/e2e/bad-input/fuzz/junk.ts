import type { Random } from "./random.js";

const LENGTHS = [1, 2, 36, 60, 61, 63, 64, 255, 256, 1000, 20_000] as const;
const TEXTS = [
  "",
  " ",
  "a",
  "0",
  "-1",
  "1e999",
  "null",
  "true",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "'; DROP TABLE instance; --",
  "%00",
  "%s%n",
  "<script>",
  "a\u0000b",
  "\ud800",
  "\u2028",
  "\u202e",
  "😀",
  "é",
  "a/b",
  "a,b",
  "a:b:c:d",
  "(",
  "[a-",
  "{}",
  "[]",
  "2026-02-30T00:00:00Z",
  "00000000-0000-4000-8000-00000000dead",
  "NOT-A-UUID",
  "${jndi:ldap://x}",
  "\r\nX-Injected: yes",
  "\u0007",
  "127.0.0.1",
  "::1",
  "YWFh",
  "99999999999999999999",
  "default",
  "nova",
  "auto",
  "none",
  "admin",
] as const;
const NUMBERS = [
  0, -0, 1, -1, 2, 0.5, 63, 64, 255, 256, 1000, 65_535, 65_536, 2_147_483_647, 2_147_483_648, 4_294_967_296,
  9_007_199_254_740_992, 1e300, -1e300,
] as const;

/** A text that somebody may have forgotten. */
export const junkText = (random: Random): string =>
  random.chance(0.15)
    ? random.pick(["a", "é", "😀", "/", "1"]).repeat(random.pick(LENGTHS))
    : random.pick(TEXTS);
export const junkNumber = (random: Random): number => random.pick(NUMBERS);

/** Any JSON value, mostly small. */
export function junk(random: Random, depth = 0): unknown {
  const kind = random.below(depth > 3 ? 5 : 8);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return junkNumber(random);
  if (kind <= 4) return junkText(random);
  if (kind <= 6) return Array.from({ length: random.below(4) }, () => junk(random, depth + 1));
  return Object.fromEntries(
    Array.from({ length: random.below(4) }, () => [junkText(random), junk(random, depth + 1)]),
  );
}

/** Spoils some of a value: other values, missing keys, keys that nobody asked for. */
export function spoil(value: unknown, random: Random): unknown {
  if (random.chance(0.08)) return junk(random);
  if (Array.isArray(value)) {
    const items = value.map((item) => spoil(item, random));
    return random.chance(0.05) ? [...items, ...items, junk(random)] : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(() => !random.chance(0.04))
    .map(([key, inner]): [string, unknown] => [key, spoil(inner, random)]);
  if (random.chance(0.05)) entries.push([junkText(random), junk(random)]);
  return Object.fromEntries(entries);
}
