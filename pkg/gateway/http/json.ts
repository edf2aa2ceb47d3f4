import { GatewayErrors } from "../errors.js";

/** Anything that JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject { readonly [key: string]: Json }

export const isObject = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

/** Deeper nesting is no request that any route knows, and would end badly in recursive code. */
const MAX_DEPTH = 64;
/** NUL, and halves of surrogate pairs (with the u flag, whole pairs do not match): no database stores them. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** @throws UNSTORABLE_TEXT */
export function assertStorable(text: string, where: string): void {
  if (UNSTORABLE.test(text)) throw GatewayErrors.UNSTORABLE_TEXT({ where });
}

/**
 * Reads a request body. Of repeated keys the last one counts, as in OpenStack; `__proto__` is a key like any other.
 * @returns undefined for an empty body
 * @throws MALFORMED_BODY for bad UTF-8, bad JSON or absurd nesting; UNSTORABLE_TEXT
 */
export function parseJson(bytes: Buffer): Json | undefined {
  if (bytes.length === 0) return undefined;
  let text: string;
  let value: Json;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw GatewayErrors.MALFORMED_BODY({}, { cause });
  }
  // Valid UTF-8 has no lone surrogates and valid JSON no bare NUL: only escapes can bring them in.
  inspect(value, 0, text.includes("\\u"));
  return value;
}

function inspect(value: Json, depth: number, withEscapes: boolean): void {
  if (typeof value === "string") {
    if (withEscapes) assertStorable(value, "the request body");
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if (depth >= MAX_DEPTH) throw GatewayErrors.MALFORMED_BODY({});
  for (const [key, inner] of Object.entries(value)) {
    if (withEscapes) assertStorable(key, "the request body");
    inspect(inner, depth + 1, withEscapes);
  }
}
