import { isTrue, MAX_INT } from "../schema/nodes.js";
import type { Json, JsonObject } from "./json.js";
import { isObject } from "./json.js";

/* Readers of validated bodies: the schema has excluded what they do not handle. */

/** The text of a field, numbers included; undefined when absent or null. */
export const textOf = (from: JsonObject, key: string): string | undefined => {
  const value = member(from, key);
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
};

/** The number of an `integer` or `number` field; undefined when absent or null. */
export const numberOf = (from: JsonObject, key: string): number | undefined => {
  const text = textOf(from, key);
  return text === undefined ? undefined : Number(text);
};

/**
 * The same of a field that counts something, cut to what a message can carry: a larger number is no more
 * possible.
 */
export const countOf = (from: JsonObject, key: string): number | undefined => {
  const value = numberOf(from, key);
  return value === undefined ? undefined : Math.min(value, MAX_INT);
};

/** The meaning of a `boolean` field; undefined when absent. */
export const booleanOf = (from: JsonObject, key: string): boolean | undefined => {
  const value = member(from, key);
  return value === undefined || value === null ? undefined : isTrue(value);
};

export const listOf = (from: JsonObject, key: string): readonly Json[] => {
  const value = member(from, key);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
};

export const textsIn = (from: JsonObject, key: string): string[] =>
  listOf(from, key).filter((item) => typeof item === "string");

export const objectOf = (from: JsonObject, key: string): JsonObject | undefined => {
  const value = member(from, key);
  return isObject(value) ? value : undefined;
};

/** An object of texts and numbers as a map; `__proto__` is a key like any other. */
export const mapOf = (from: JsonObject | undefined): Map<string, string> =>
  new Map(Object.entries(from ?? {}).map(([key, value]) => [key, String(value)]));

export const member = (from: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(from, key) ? from[key] : undefined;
