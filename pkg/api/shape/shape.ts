import type { Ctx, FieldViolation } from "../../kernel/index.js";
import { snakeCase } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";

type Report = (path: string, problem: string) => void;

/** Judges one value; tells each problem with the path at which it sits. Pure. */
export type Rule<T> = (value: T, path: string, report: Report) => void;

type Rules<M> = { readonly [K in keyof M]?: Rule<M[K]> };

/**
 * What a request must look like, field by field. Fields without an entry may be anything their type allows;
 * those that are or hold an enum or a time must have one (`oneOf`, `time`), since on the wire both are any
 * number.
 */
export type Shape<M> = Rules<M> & {
  readonly [K in keyof M as true extends HoldsEnum<M[K]> ? K : never]-?: Rule<M[K]>;
};

/** Distributes over unions; enums are unions of literals, so that `number` itself is none. */
type HoldsEnum<T> = T extends number
  ? number extends T
    ? false
    : true
  : T extends readonly (infer Item)[]
    ? HoldsEnum<Item>
    : T extends ReadonlyMap<unknown, unknown> | Uint8Array
      ? false
      : T extends { readonly seconds: bigint; readonly nanos: number }
        ? true
        : T extends object
          ? { [K in keyof T]-?: HoldsEnum<T[K]> }[keyof T]
          : false;

/** Told of one request; a status carries fewer, and a request may have a quarter of a million. */
const MOST_VIOLATIONS = 100;

/** A unary RPC as it is served. */
export type Unary<Req, Res> = (ctx: Ctx, request: Req) => Promise<Res>;

/**
 * A check of requests against a shape; make it once, it is asked with every request.
 * @throws INVALID_REQUEST (the check) with one violation per problem, paths in the proto's spelling: the
 *   first ones of many
 */
export function shapeCheck<M extends object>(shape: Shape<M>): (message: M) => void {
  const rule = object(shape);
  return (message) => {
    const violations: FieldViolation[] = [];
    rule(message, "", (path, problem) => {
      if (violations.length < MOST_VIOLATIONS) violations.push({ field: path, description: problem });
    });
    const first = violations[0];
    if (first !== undefined)
      throw ApiErrors.INVALID_REQUEST({ field: first.field, problem: first.description }, { violations });
  };
}

/** A message inside a message. */
export const object = <M extends object>(shape: Shape<M>): Rule<M> => {
  const rules: Rules<M> = shape;
  const fields: ((value: M, path: string, report: Report) => void)[] = [];
  for (const key in rules) {
    const [rule, name] = [rules[key], snakeCase(key)];
    if (rule !== undefined)
      fields.push((value, path, report) => rule(value[key], path === "" ? name : `${path}.${name}`, report));
  }
  return (value, path, report) => {
    for (const check of fields) check(value, path, report);
  };
};

/** A message that must be there. */
export const required = <M extends object>(shape: Shape<M>): Rule<M | undefined> => present(object(shape));

/** A rule for values that must be there, even if they are empty. */
export const present =
  <T>(rule: Rule<T>): Rule<T | undefined> =>
  (value, path, report) => {
    if (value === undefined) report(path, "is required");
    else rule(value, path, report);
  };

/** A rule for values that may be left out. */
export const optional =
  <T>(rule: Rule<T>): Rule<T | undefined> =>
  (value, path, report) => {
    if (value !== undefined) rule(value, path, report);
  };

/** A rule for texts that may be left out: an empty one says nothing, and is refused. */
export const given =
  (rule: Rule<string>): Rule<string | undefined> =>
  (value, path, report) => {
    if (value === "") report(path, "must not be empty: leave it out instead");
    else if (value !== undefined) rule(value, path, report);
  };

export interface TextLimits {
  /**
   * Characters at least; 0, the default, also lets the empty text pass every other check: it means "not
   * given".
   */
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  /** What the pattern means, for people. */
  readonly hint?: string;
}

/** A text; lengths count characters (code points). NUL is never allowed. */
export const text =
  ({ min = 0, max = 255, pattern, hint = "has the wrong form" }: TextLimits = {}): Rule<string> =>
  (value, path, report) => {
    if (value === "" && min === 0) return;
    const length = value.length <= max ? value.length : [...value].length;
    if (length < min) report(path, min === 1 ? "must not be empty" : `must have at least ${min} characters`);
    else if (length > max) report(path, `must have at most ${max} characters`);
    else if (value.includes("\0")) report(path, "must not contain NUL");
    else if (pattern !== undefined && !pattern.test(value)) report(path, hint);
  };

export const number =
  ({ min = 0, max = 2_147_483_647 }: { readonly min?: number; readonly max?: number } = {}): Rule<number> =>
  (value, path, report) => {
    if (!(value >= min && value <= max)) report(path, `must be between ${min} and ${max}`);
  };

/** One of an enum's numbers. @param unset  whether 0, which means "not given", will do */
export const oneOf = <E extends number>(
  values: Readonly<Record<string, E>>,
  { unset = true } = {},
): Rule<E> => {
  const known = new Set<number>(Object.values(values));
  return (value, path, report) => {
    if (value === 0 && !unset) report(path, "is required");
    else if (!known.has(value))
      report(
        path,
        `must be one of ${Object.keys(values)
          .filter((name) => unset || values[name] !== 0)
          .join(", ")}`,
      );
  };
};

/** @param max  entries at most */
export const list =
  <T>(item: Rule<T>, max = 1000): Rule<T[]> =>
  (values, path, report) => {
    if (values.length > max) report(path, `must have at most ${max} items`);
    else values.forEach((value, i) => item(value, `${path}[${i}]`, report));
  };

export const map =
  (key: Rule<string>, value: Rule<string>): Rule<Map<string, string>> =>
  (entries, path, report) => {
    for (const [k, v] of entries) {
      key(k, `${path}["${k}"]`, report);
      value(v, `${path}["${k}"]`, report);
    }
  };
