import type { ErrorObject } from "ajv";
import type { Json } from "../http/json.js";

/** Long enough to recognise the value, short enough to print. */
const MAX_VALUE_TEXT = 500;

/** A value as Python prints it, which is how OpenStack's messages show it. */
function pythonText(value: unknown): string {
  const text = print(value);
  return text.length > MAX_VALUE_TEXT ? `${text.slice(0, MAX_VALUE_TEXT)}…` : text;
}

function print(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(print).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([key, inner]) => `${quoted(key)}: ${print(inner)}`)
      .join(", ")}}`;
  return String(value);
}

const quoted = (text: string): string => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(
    /[\\\n\r\t]/g,
    (c) => ({ "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" })[c] ?? c,
  );
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
};

const listed = (value: unknown): string =>
  Array.isArray(value) ? value.map(print).join(", ") : print(value);

const NAME_TEXT =
  "An invalid 'name' value was provided. The name must be: printable characters. Can not start or end with whitespace.";

type Reason = (error: ErrorObject, value: string) => string;
const tooShort: Reason = (e, value) =>
  e.params["limit"] === 1 ? `${value} should be non-empty` : `${value} is too short`;

/**
 * The words of the reference validator for each keyword. Clients cannot depend on them: they differ between
 * its versions.
 */
const reasons: Readonly<Record<string, Reason>> = {
  required: (e) => `${print(e.params["missingProperty"])} is a required property`,
  additionalProperties: (e) =>
    `Additional properties are not allowed (${print(e.params["additionalProperty"])} was unexpected)`,
  type: (e, value) => `${value} is not of type ${listed(e.schema)}`,
  enum: (e, value) => `${value} is not one of ${print(e.schema)}`,
  pattern: (e, value) => `${value} does not match ${print(e.schema)}`,
  format: (e, value) => `${value} is not a ${print(e.schema)}`,
  minLength: tooShort,
  minItems: tooShort,
  maxLength: (_e, value) => `${value} is too long`,
  maxItems: (_e, value) => `${value} is too long`,
  minProperties: (_e, value) => `${value} does not have enough properties`,
  maxProperties: (_e, value) => `${value} has too many properties`,
  numericMinimum: (e, value) => `${value} is less than the minimum of ${print(e.schema)}`,
  numericMaximum: (e, value) => `${value} is greater than the maximum of ${print(e.schema)}`,
  oneOf: (e, value) =>
    e.params["passingSchemas"]
      ? `${value} is valid under each of the given schemas`
      : `${value} is not valid under any of the given schemas`,
  uniqueItems: (_e, value) => `${value} has non-unique elements`,
};

/** One broken rule in Nova's words. */
export function bodyMessage(error: ErrorObject): string {
  if (error.keyword === "format" && error.schema === "name") return NAME_TEXT;
  return withPath(error, pathOf(error).at(-1), "field/attribute");
}

/** The same for a query string, whose values are lists: the parameter's name counts, not the position. */
export const queryMessage = (error: ErrorObject): string =>
  withPath(error, pathOf(error)[0], "query parameters");

function withPath(error: ErrorObject, name: string | undefined, what: string): string {
  const value = pythonText(error.data);
  const reason = reasons[error.keyword]?.(error, value) ?? `${value} ${error.message ?? "is not valid"}`;
  return name === undefined
    ? reason
    : `Invalid input for ${what} ${name}. Value: ${bare(error.data as Json, value)}. ${reason}`;
}

/** Texts are printed without quotes after `Value:`. */
const bare = (data: Json, printed: string): string =>
  typeof data === "string" ? data.slice(0, MAX_VALUE_TEXT) : printed;

const pathOf = (error: ErrorObject): string[] =>
  error.instancePath
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
