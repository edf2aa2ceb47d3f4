import { parseUuid } from "../kernel/ids.js";
import { lastOf } from "../platform/http/index.js";
import type { Query } from "../platform/http/index.js";
import { RestErrors } from "./errors.js";

/** A condition as the proto has it. */
export interface ConditionMessage {
  readonly anyOf: string[];
  readonly forbidden: boolean;
}

const badValue = (problem: string): Error => RestErrors.QUERY_INVALID({ problem });

/** `VCPU:2,MEMORY_MB:512` */
export function parseResources(text: string): Map<string, bigint> {
  const resources = new Map<string, bigint>();
  for (const part of text.split(",")) {
    const match = /^([A-Z0-9_]+):([1-9]\d{0,9})$/.exec(part.trim());
    if (match?.[1] === undefined) throw badValue(`badly formed resources parameter: ${text}`);
    if (resources.has(match[1])) throw badValue(`resource class ${match[1]} occurs twice`);
    resources.set(match[1], BigInt(match[2] ?? 0));
  }
  return resources;
}

/** One `member_of`: a uuid or `in:` a list; from 1.32 negated by `!`. */
function parseMemberOf(text: string, minor: number): ConditionMessage {
  const forbidden = text.startsWith("!");
  if (forbidden && minor < 32) throw badValue("forbidden aggregates are not supported at this version");
  const rest = forbidden ? text.slice(1) : text;
  const list = rest.startsWith("in:") ? rest.slice(3).split(",") : [rest];
  const anyOf = list.map((one) => parseUuid(one.trim()));
  if (anyOf.length === 0 || anyOf.some((one) => one === undefined))
    throw badValue(`Expected 'member_of' parameter to contain valid UUID(s), but got: ${text}`);
  return { anyOf: anyOf.flatMap((one) => one ?? []), forbidden };
}

/** All `member_of` of a group. @throws QUERY_INVALID, for several below 1.24 too */
export function parseMembersOf(key: string, values: readonly string[], minor: number): ConditionMessage[] {
  if (minor < 24 && values.length > 1)
    throw RestErrors.QUERY_INVALID({ problem: `Multiple ${key} parameters are not supported` });
  return values.map((text) => parseMemberOf(text, minor));
}

/** One `required`: names ANDed, from `forbiddenSince` negated by `!`, from 1.39 `in:` alternatives. */
export function parseRequired(
  text: string,
  minor: number,
  allow: { readonly forbidden: boolean; readonly anyOf: boolean },
): ConditionMessage[] {
  const bad = (): Error =>
    badValue(`Invalid query string parameters: 'required' must list traits, but got: ${text}`);
  if (text.startsWith("in:")) {
    const anyOf = text
      .slice(3)
      .split(",")
      .map((one) => one.trim());
    if (!allow.anyOf || minor < 39 || anyOf.some((one) => !TRAIT.test(one))) throw bad();
    return [{ anyOf, forbidden: false }];
  }
  return text.split(",").map((part) => {
    const name = part.trim();
    const forbidden = name.startsWith("!");
    const trait = forbidden ? name.slice(1) : name;
    if (!TRAIT.test(trait) || (forbidden && !allow.forbidden)) throw bad();
    return { anyOf: [trait], forbidden };
  });
}

const TRAIT = /^[A-Z0-9_]{1,255}$/;

/** Values that count: all of them where repeating is meant, else the last. */
export const counted = (values: readonly string[] | undefined, repeatable: boolean): readonly string[] =>
  values === undefined ? [] : repeatable ? values : values.slice(-1);

export function parseUuidParam(name: string, text: string): string {
  const id = parseUuid(text);
  if (id === undefined) throw badValue(`Expected '${name}' parameter to be a valid UUID, but got: ${text}`);
  return id;
}

/** The value that counts of a parameter whose first one does. Every one must be valid. */
export function firstOf<T>(values: readonly string[], parse: (text: string) => T): T | undefined {
  return values.map(parse).at(0);
}

/** A parameter of 1 to 255 characters; the last one counts. @throws QUERY_INVALID */
export function shortText(query: Query, name: string): string | undefined {
  const text = lastOf(query, name);
  if (text === undefined) return undefined;
  if (text === "") throw badValue(`'' is too short: ${name}`);
  if ([...text].length > 255) throw badValue(`the value of '${name}' is too long`);
  return text;
}
