/**
 * NUL, and halves of surrogate pairs (with the u flag, whole pairs do not match): no database stores them.
 */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** Deeper nesting is no request that any route knows, and would end badly in recursive code. */
const MAX_DEPTH = 64;

/** Whether a database can hold the text. */
export const isStorable = (text: string): boolean => !UNSTORABLE.test(text);

/**
 * Why a value that came as JSON can be no request: a text or key in it that no database holds, or absurd
 * nesting.
 * @returns undefined when nothing is wrong with it
 * @cost one pass over all text
 */
export function flawOf(value: unknown, depth = 0): "text" | "nesting" | undefined {
  if (typeof value === "string") return isStorable(value) ? undefined : "text";
  if (typeof value !== "object" || value === null) return undefined;
  if (depth >= MAX_DEPTH) return "nesting";
  for (const [key, inner] of Object.entries(value)) {
    const flaw = isStorable(key) ? flawOf(inner, depth + 1) : "text";
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}
