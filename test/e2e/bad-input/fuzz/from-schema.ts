import type { JsonSchema } from "../../../../pkg/gateway/schema/nodes.js";
import { junk, junkText } from "./junk.js";
import type { Random } from "./random.js";

/** Texts that fit somewhere: ids of the stage and whatever formats want. */
export interface Fitting {
  /** Ids that may be anybody's, for where an id is asked for. */
  readonly ids: readonly string[];
  /** What a free text may say. Callers read again what they wrote: nothing of others is among it. */
  readonly texts: readonly string[];
  readonly byKey: Readonly<Record<string, readonly unknown[]>>;
}

const BY_FORMAT: Readonly<Record<string, readonly string[]>> = {
  uuid: ["00000000-0000-4000-8000-00000000dead", "0000000000004000800000000000dead"],
  ipv4: ["192.168.233.99", "10.0.0.1"],
  ipv6: ["fd00::1", "::1"],
  base64: ["YQ==", "IyEvYmluL3NoCg=="],
  "date-time": ["2026-01-01T00:00:00Z", "2020-02-29"],
  regex: ["web", "^a.*$", "[0-9]+"],
  name: ["web", "a b"],
  printable: ["text"],
};

/** A value that the schema takes, or nearly: what a schema of the gateway says is all that is known. */
export function fromSchema(schema: JsonSchema, random: Random, fitting: Fitting, key = ""): unknown {
  const known = fitting.byKey[key];
  if (known && random.chance(0.8)) return random.pick(known);
  if (Array.isArray(schema["oneOf"]))
    return fromSchema(
      {
        ...random.pick(schema["oneOf"] as JsonSchema[]),
        ...(schema["type"] === undefined ? {} : { type: schema["type"] }),
      },
      random,
      fitting,
      key,
    );
  if (Array.isArray(schema["enum"])) return random.pick(schema["enum"] as unknown[]);
  const type = Array.isArray(schema["type"]) ? random.pick(schema["type"] as string[]) : schema["type"];
  if (type === "object") return objectOf(schema, random, fitting);
  if (type === "array")
    return Array.from({ length: random.below(3) + Number(schema["minItems"] ?? 0) }, () =>
      fromSchema((schema["items"] ?? {}) as JsonSchema, random, fitting, key),
    );
  if (type === "integer" || type === "number") return Number(schema["numericMinimum"] ?? 0) + random.below(3);
  if (type === "boolean") return random.chance(0.5);
  if (type === "null") return null;
  return type === "string" ? textFor(schema, random, fitting) : junk(random);
}

function objectOf(schema: JsonSchema, random: Random, fitting: Fitting): Record<string, unknown> {
  const required = new Set((schema["required"] ?? []) as string[]);
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, JsonSchema>);
  const chosen = properties.filter(([key]) => required.has(key) || random.chance(0.2));
  const free = Object.values((schema["patternProperties"] ?? {}) as Record<string, JsonSchema>).map(
    (node): [string, unknown] => [`k${random.below(10)}`, fromSchema(node, random, fitting)],
  );
  return Object.fromEntries([
    ...chosen.map(([key, node]): [string, unknown] => [key, fromSchema(node, random, fitting, key)]),
    ...free,
  ]);
}

function textFor(schema: JsonSchema, random: Random, { ids, texts }: Fitting): string {
  const format = String(schema["format"] ?? "");
  const fits = BY_FORMAT[format];
  if (fits && random.chance(0.8)) return random.pick(fits);
  if (random.chance(0.5)) return random.pick(format === "uuid" ? ids : texts);
  return random.chance(0.7) ? `w${random.below(1000)}` : junkText(random);
}
