import { RE2JS } from "re2js";
import { readUserRegex } from "../../../platform/regex/index.js";

/** A user's regular expression, matched here as the database matches it there; or why it is not taken. */
export type CompiledRegex =
  | { readonly matches: (text: string) => boolean; readonly problem?: undefined }
  | { readonly problem: string };

/** Reads one as `readUserRegex` does: case does not matter, and a match may begin anywhere. */
export function compileUserRegex(regex: string): CompiledRegex {
  const { problem } = readUserRegex(regex);
  if (problem !== undefined) return { problem };
  const compiled = RE2JS.compile(regex, RE2JS.CASE_INSENSITIVE);
  return { matches: (text) => compiled.matcher(text).find() };
}
