import { Ajv2020 } from "ajv/dist/2020.js";
import type { ValidateFunction } from "ajv/dist/2020.js";
import { GatewayErrors } from "../errors.js";
import type { Json, JsonObject } from "../http/json.js";
import { isObject } from "../http/json.js";
import type { Query } from "../http/query.js";
import { formats } from "./formats.js";
import { bodyMessage, queryMessage } from "./messages.js";
import type { JsonSchema, Node, SchemaEnv } from "./nodes.js";

interface Compiled {
  readonly schema: JsonSchema;
  readonly validate: ValidateFunction;
}

/**
 * Compiles declared schemas on first use: once per distinct shape, however many versions and routes share it.
 */
export class SchemaCompiler {
  readonly #ajv: Ajv2020;
  readonly #byText = new Map<string, Compiled>();
  readonly #byNode = new Map<Node, Map<number, Compiled>>();

  constructor() {
    this.#ajv = new Ajv2020({
      strict: false,
      allErrors: false,
      verbose: true,
      unicodeRegExp: true,
      validateSchema: false,
      addUsedSchema: false,
      code: { optimize: false },
    });
    for (const [format, check] of Object.entries(formats)) this.#ajv.addFormat(format, check);
    this.#ajv.addKeyword({
      keyword: "numericMinimum",
      type: ["number", "string"],
      validate: (least: number, value: unknown) => Number(value) >= least,
    });
    this.#ajv.addKeyword({
      keyword: "numericMaximum",
      type: ["number", "string"],
      validate: (most: number, value: unknown) => Number(value) <= most,
    });
  }

  /** How many shapes were compiled so far. */
  get size(): number {
    return this.#byText.size;
  }

  /**
   * @returns the body as the handler shall see it: in legacy mode without unknown keys @throws BAD_REQUEST
   *   with Nova's text
   */
  checkBody(node: Node, env: SchemaEnv, body: Json): Json {
    const { schema, validate } = this.#at(node, env);
    const value = env.legacy ? relax(schema, body) : body;
    if (!validate(value)) throw GatewayErrors.BAD_REQUEST({ message: bodyMessage(lastError(validate)) });
    return value;
  }

  /** @returns the query with only what the route knows @throws BAD_REQUEST */
  checkQuery(node: Node, env: SchemaEnv, query: Query): Query {
    if (query.size === 0) return query;
    const { schema, validate } = this.#at(node, env);
    if (!validate(Object.fromEntries(query)))
      throw GatewayErrors.BAD_REQUEST({ message: queryMessage(lastError(validate)) });
    const known = (name: string): boolean => knownKey(schema, name);
    return [...query.keys()].every(known) ? query : new Map([...query].filter(([name]) => known(name)));
  }

  #at(node: Node, env: SchemaEnv): Compiled {
    let versions = this.#byNode.get(node);
    if (!versions) this.#byNode.set(node, (versions = new Map()));
    const key = env.legacy ? 0 : env.version;
    let compiled = versions.get(key);
    if (!compiled) versions.set(key, (compiled = this.#compile(node(env))));
    return compiled;
  }

  #compile(schema: JsonSchema): Compiled {
    const text = JSON.stringify(schema);
    let compiled = this.#byText.get(text);
    if (!compiled) this.#byText.set(text, (compiled = { schema, validate: this.#ajv.compile(schema) }));
    return compiled;
  }
}

/** With alternatives, the error of the whole comes after those of its parts. */
function lastError(validate: ValidateFunction): NonNullable<ValidateFunction["errors"]>[number] {
  const error = validate.errors?.at(-1);
  if (!error) throw new Error("a failed validation has no error");
  return error;
}

const propertiesOf = (schema: JsonSchema): Readonly<Record<string, JsonSchema>> =>
  (schema["properties"] ?? {}) as Record<string, JsonSchema>;

function knownKey(schema: JsonSchema, key: string): boolean {
  if (Object.hasOwn(propertiesOf(schema), key)) return true;
  return Object.keys((schema["patternProperties"] ?? {}) as object).some((pattern) =>
    new RegExp(pattern, "u").test(key),
  );
}

/**
 * Applies the manners of `/v2`: unknown keys disappear (objects with free keys keep theirs; when all keys are
 * unknown they stay, and fail), names lose spaces at their ends.
 */
function relax(schema: JsonSchema, value: Json): Json {
  if (typeof value === "string")
    return schema["format"] === "name_with_leading_trailing_spaces" ? value.trim() : value;
  if (Array.isArray(value)) {
    const items = schema["items"] as JsonSchema | undefined;
    return items ? value.map((item: Json) => relax(items, item)) : value;
  }
  return isObject(value) ? relaxObject(schema, value) : value;
}

function relaxObject(schema: JsonSchema, value: JsonObject): JsonObject {
  const properties = propertiesOf(schema);
  const entries = Object.entries(value);
  const known = entries.filter(([key]) => Object.hasOwn(properties, key));
  const keepsAll =
    schema["patternProperties"] !== undefined ||
    schema["additionalProperties"] !== false ||
    known.length === 0;
  return Object.fromEntries(
    (keepsAll ? entries : known).map(([key, inner]) => {
      const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
      return [key, property ? relax(property, inner) : inner];
    }),
  );
}
