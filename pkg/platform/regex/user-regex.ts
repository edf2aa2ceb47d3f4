import { LRUCache } from "lru-cache";
import { RE2JS, RE2JSException } from "re2js";
import { toPostgres } from "./to-postgres.js";
import { RegexProblem } from "./regex-problem.js";

/** Characters of a regular expression at most. */
const LONGEST = 255;
/** Instructions of its compiled form at most: what repetitions multiply to. */
const LARGEST = 2_000;
/** Patterns whose answer is remembered: each is read at the gateway, in `api` and in every cell. */
const REMEMBERED = 200;

const known = new LRUCache<string, UserRegex>({ max: REMEMBERED });

/** What a regular expression of a user is for us, or why it is none. */
export type UserRegex =
  { readonly postgres: string; readonly problem?: undefined } | { readonly problem: string };

/**
 * Reads a regular expression that a user sent: RE2's syntax, which can always be matched in linear time, less
 * what PostgreSQL cannot be told in the same meaning. Matching ignores case and begins anywhere, as in Nova.
 * @returns the pattern for PostgreSQL's `~*`, which then has no captures, no back-references, no look-around
 *   and no embedded options
 */
export function readUserRegex(text: string): UserRegex {
  if (text.length > LONGEST && [...text].length > LONGEST)
    return { problem: `must have at most ${LONGEST} characters` };
  let read = known.get(text);
  if (read === undefined) known.set(text, (read = readAnew(text)));
  return read;
}

function readAnew(text: string): UserRegex {
  if (/[\0\p{Cs}]/u.test(text)) return { problem: "must not contain NUL or half characters" };
  try {
    // First what costs less: RE2's compiler takes milliseconds for what is refused here anyway.
    const postgres = toPostgres(text);
    const size = RE2JS.compile(text, RE2JS.CASE_INSENSITIVE).programSize();
    if (size > LARGEST) return { problem: "is too complex: its repetitions multiply too far" };
    return { postgres };
  } catch (error) {
    if (error instanceof RegexProblem) return { problem: `is not usable here: ${error.message}` };
    if (error instanceof RE2JSException) return { problem: "is not a regular expression of RE2's syntax" };
    throw error;
  }
}
