import type { Microversion, Span } from "../microversion/version.js";
import { always, inSpan } from "../microversion/version.js";

/** For whom a schema is built. */
export interface SchemaEnv {
  readonly version: Microversion;
  readonly legacy: boolean;
}
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * A declaration that gives the JSON Schema of one version. Pure: compiled once per distinct result
 * (compiler.ts).
 */
export type Node = (env: SchemaEnv) => JsonSchema;

/**
 * When a field is accepted. `legacy: "only"` is the relaxed form of `/v2`, `"never"` the strict one that
 * replaces it there.
 */
export interface When {
  readonly span?: Span;
  readonly legacy?: "only" | "never";
}

export interface Field extends When {
  readonly name: string;
  readonly node: Node;
  readonly required: boolean;
}

const asWhen = (when: Span | When | undefined): When =>
  when === undefined ? {} : "min" in when ? { span: when } : when;

export const required = (name: string, node: Node, when?: Span | When): Field => ({
  name,
  node,
  required: true,
  ...asWhen(when),
});
export const optional = (name: string, node: Node, when?: Span | When): Field => ({
  name,
  node,
  required: false,
  ...asWhen(when),
});

export const fixed =
  (schema: JsonSchema): Node =>
  () =>
    schema;

interface ObjectOptions {
  /** Nodes of free keys by pattern. */
  readonly patterns?: Readonly<Record<string, Node>>;
  readonly extraKeys?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly nullable?: boolean;
}

/**
 * An object that refuses unknown keys unless told otherwise. Several fields of one name must live in spans
 * that do not meet.
 */
export function object(fields: readonly Field[], options: ObjectOptions = {}): Node {
  const { patterns, extraKeys = false, nullable = false, ...limits } = options;
  return (env) => {
    const here = fields.filter(
      (f) => inSpan(env.version, f.span ?? always) && f.legacy !== (env.legacy ? "never" : "only"),
    );
    const names = here.filter((f) => f.required).map((f) => f.name);
    return {
      type: nullable ? ["object", "null"] : "object",
      properties: Object.fromEntries(here.map((f) => [f.name, f.node(env)])),
      ...(names.length > 0 ? { required: names } : {}),
      ...(patterns
        ? {
            patternProperties: Object.fromEntries(
              Object.entries(patterns).map(([p, node]) => [p, node(env)]),
            ),
          }
        : {}),
      additionalProperties: extraKeys,
      ...limits,
    };
  };
}

export const array =
  (items: Node, limits: JsonSchema = {}): Node =>
  (env) => ({ type: "array", items: items(env), ...limits });
export const oneOf =
  (...nodes: readonly Node[]): Node =>
  (env) => ({ oneOf: nodes.map((node) => node(env)) });
export const anything: Node = fixed({});
export const nothing: Node = fixed({ type: "null" });

export const text = (limits: JsonSchema = {}): Node => fixed({ type: "string", ...limits });
export const nullableText = (limits: JsonSchema = {}): Node => fixed({ type: ["string", "null"], ...limits });
export const choice = (...values: readonly (string | boolean | number | null)[]): Node =>
  fixed({ enum: values });

/** 1 to 255 printable characters without spaces at the ends. */
export const name: Node = text({ minLength: 1, maxLength: 255, format: "name" });
/** The form of `/v2`: spaces at the ends are trimmed afterwards. */
export const looseName: Node = text({
  minLength: 1,
  maxLength: 255,
  format: "name_with_leading_trailing_spaces",
});
export const uuid: Node = text({ format: "uuid" });
export const ipAddress: Node = text({ oneOf: [{ format: "ipv4" }, { format: "ipv6" }] });
export const tag: Node = text({ minLength: 1, maxLength: 60, pattern: "^[^,/]*$" });
export const hostName: Node = text({ minLength: 1, maxLength: 255, pattern: "^[a-zA-Z0-9\\-._]*$" });
export const description = (maxLength: number): Node => nullableText({ maxLength, format: "printable" });

/** Metadata and extra specs: the pattern of their keys. */
export const KEY_PATTERN = "^[a-zA-Z0-9\\-_:. ]{1,255}$";

const TRUE_WORDS = [true, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes"] as const;
const FALSE_WORDS = [false, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no"] as const;
/** true, false or one of the words that OpenStack takes for them; numbers are refused. */
export const boolean: Node = fixed({ type: ["boolean", "string"], enum: [...TRUE_WORDS, ...FALSE_WORDS] });
/** What a value that passed `boolean` means. */
export const isTrue = (value: unknown): boolean => (TRUE_WORDS as readonly unknown[]).includes(value);

/**
 * A whole number, or its digits as text; the limits hold for both. Messages carry 32 or 64 bits, so each
 * number says where it ends; `cut` when any is taken and whoever reads it cuts it to what fits.
 */
export const integer = (limits: {
  min?: number;
  max: number | "cut";
  pattern?: string;
  nullable?: boolean;
}): Node =>
  fixed({
    type: limits.nullable ? ["integer", "string", "null"] : ["integer", "string"],
    pattern: limits.pattern ?? "^[0-9]+$",
    minLength: 1,
    ...(limits.min === undefined ? {} : { numericMinimum: limits.min }),
    ...(limits.max === "cut" ? {} : { numericMaximum: limits.max }),
  });
/** Largest value of Nova's integer columns. */
export const MAX_INT = 2_147_483_647;

interface ParameterOptions extends When {
  readonly single?: boolean;
}
/** A query parameter; `single` ones may be given only once. */
export const parameter = (paramName: string, node: Node, options: ParameterOptions = {}): Field => {
  const { single = false, ...when } = options;
  return optional(paramName, array(node, single ? { maxItems: 1 } : {}), when);
};

interface QueryOptions {
  readonly patterns?: Readonly<Record<string, Node>>;
}
/** The parameters of a route. Unknown ones are dropped, and refused in the versions of `strict`. */
export function query(strict: Span, parameters: readonly Field[] = [], options: QueryOptions = {}): Node {
  const build = (extraKeys: boolean): Node =>
    object(parameters, {
      extraKeys,
      ...(options.patterns
        ? {
            patterns: Object.fromEntries(
              Object.entries(options.patterns).map(([p, node]) => [p, array(node)]),
            ),
          }
        : {}),
    });
  const [lenient, exact] = [build(true), build(false)];
  return (env) => (!env.legacy && inSpan(env.version, strict) ? exact : lenient)(env);
}
