import { ApiErrors } from "../errors.js";

const VERSION = "1";

/**
 * An opaque place in a sorted list: the sort values of the last row shown, bound to what was asked.
 * Base64url of JSON, so that any text survives.
 */
export function encodePageToken(binding: string, after: readonly string[]): string {
  return `${VERSION}.${Buffer.from(JSON.stringify([binding, ...after])).toString("base64url")}`;
}

/** @throws BAD_PAGE_TOKEN for texts that are no token, of another version, or of another filter or sort */
export function decodePageToken(binding: string, token: string): readonly string[] {
  const [version, body = ""] = token.split(".");
  const parts = version === VERSION ? parse(body) : undefined;
  if (parts === undefined || parts[0] !== binding) throw ApiErrors.BAD_PAGE_TOKEN({});
  return parts.slice(1);
}

function parse(body: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
    return Array.isArray(value) && value.every((part) => typeof part === "string") ? value : undefined;
  } catch {
    return undefined; // not JSON: somebody made the token up
  }
}
