import type { z } from "zod";
import { CommonErrors } from "../../kernel/index.js";

/**
 * Checks a body against its schema.
 * @throws INVALID_ARGUMENT naming the first bad field
 */
export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw CommonErrors.INVALID_ARGUMENT({
    field: issue && issue.path.length > 0 ? issue.path.map(String).join(".") : "body",
    problem: issue?.message ?? "malformed",
  });
}

/**
 * `true`, `1`, `yes`, `on` and their opposites in any case, as OpenStack's query strings have them; undefined
 * when it is neither.
 */
export function parseFlag(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (["true", "1", "yes", "on", "t", "y"].includes(word)) return true;
  if (["false", "0", "no", "off", "f", "n"].includes(word)) return false;
  return undefined;
}
