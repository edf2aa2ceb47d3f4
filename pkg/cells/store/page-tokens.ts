import { CommonErrors } from "../../kernel/errors.js";
import type { Instant } from "../../kernel/time.js";
import { sqlTime } from "../../platform/db/index.js";

/** The token of a page that ended at a time and an id. */
export const writeToken = (at: Instant, id: string): string =>
  Buffer.from(JSON.stringify([sqlTime(at), id])).toString("base64url");

/**
 * Where a page ended; undefined for no token. The time is as SQL writes it.
 * @throws INVALID_ARGUMENT
 */
export function readToken(token: string): { readonly at: string; readonly id: string } | undefined {
  if (token === "") return undefined;
  try {
    const [at, id] = JSON.parse(Buffer.from(token, "base64url").toString()) as unknown[];
    if (typeof at === "string" && typeof id === "string") return { at, id };
  } catch {
    /* Not ours: refused below. */
  }
  throw CommonErrors.INVALID_ARGUMENT({ field: "page_token", problem: "it belongs to another list" });
}
