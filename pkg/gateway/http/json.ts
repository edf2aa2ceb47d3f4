import { flawOf, isStorable } from "../../platform/http/index.js";
import { GatewayErrors } from "../errors.js";

/** Anything that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws UNSTORABLE_TEXT */
export function assertStorableText(text: string, where: string): void {
  if (!isStorable(text)) throw GatewayErrors.UNSTORABLE_TEXT({ where });
}

/**
 * Reads a request body. Of repeated keys the last one counts, as in OpenStack; `__proto__` is a key like any
 * other.
 * @returns undefined for an empty body
 * @throws MALFORMED_BODY for bad UTF-8, bad JSON or absurd nesting; UNSTORABLE_TEXT
 */
export function parseJson(bytes: Buffer): Json | undefined {
  if (bytes.length === 0) return undefined;
  let value: Json;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)) as Json;
  } catch (cause) {
    throw GatewayErrors.MALFORMED_BODY({}, { cause });
  }
  const flaw = flawOf(value);
  if (flaw === "text") throw GatewayErrors.UNSTORABLE_TEXT({ where: "the request body" });
  if (flaw === "nesting") throw GatewayErrors.MALFORMED_BODY({});
  return value;
}
