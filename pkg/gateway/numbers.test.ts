import assert from "node:assert/strict";
import type { Operation } from "./routing/endpoints.js";
import type { Json } from "./http/json.js";
import { isObject } from "./http/json.js";
import { MIN_VERSION, MAX_VERSION } from "./microversion/version.js";
import type { JsonSchema, SchemaEnv } from "./schema/nodes.js";
import { standsFor } from "./routing/aliases.js";
import { allOperations } from "./resources/index.js";
import { startTestGateway } from "./testing/test-gateway.js";
import type { Ask, TestGateway } from "./testing/test-gateway.js";
import { translations } from "./testing/translations/index.gen.js";
import { FragmentCache } from "./view/fragments.js";

/** Numbers at and beyond the edges of what messages and databases carry. */
const numbers = [
  "-1",
  "-2147483649",
  "2147483648",
  "4294967296",
  "9223372036854775808",
  "1" + "0".repeat(23),
];

const operations = new Map(
  allOperations({} as Parameters<typeof allOperations>[0], new FragmentCache(0)).map((op) => [op.route, op]),
);
const envOf = ({ version }: Ask): SchemaEnv => ({
  version: version === undefined ? MIN_VERSION : Number(version.slice(2)),
  legacy: false,
});

/** Where a schema takes a whole number: paths below the body, `*` for a free key, `[]` for an item. */
function integersIn(schema: JsonSchema, path: readonly string[] = []): string[] {
  const inner = (of: unknown, at: string): string[] =>
    isObject(of as Json) ? integersIn(of as JsonSchema, [...path, at]) : [];
  const here = [schema["type"]].flat().includes("integer") && path.length > 0 ? [path.join("/")] : [];
  const named = Object.entries((schema["properties"] ?? {}) as object).flatMap(([key, of]) => inner(of, key));
  const free = Object.values((schema["patternProperties"] ?? {}) as object).flatMap((of) => inner(of, "*"));
  const either = [...((schema["oneOf"] ?? []) as JsonSchema[])].flatMap((of) => integersIn(of, path));
  return [...here, ...named, ...free, ...either, ...inner(schema["items"], "[]")];
}

/** The body with the number there; what is missing on the way is made. */
function withNumber(body: Json | undefined, path: readonly string[], value: Json): Json {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (key === "[]") {
    const list: readonly Json[] = Array.isArray(body) ? (body as readonly Json[]) : [{}];
    return list.map((item) => withNumber(item, rest, value));
  }
  const object = isObject(body ?? null) ? (body as { readonly [key: string]: Json }) : {};
  const name = key === "*" ? (Object.keys(object)[0] ?? "key") : key;
  return { ...object, [name]: withNumber(object[name], rest, value) };
}

describe("numbers that are too large", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({});
  });
  after(() => gateway.close());

  /** Behind the gateway nothing is served (501): what comes that far was a message. */
  const mayAnswer = async (path: string, ask: Ask): Promise<string[]> => {
    const { status, text } = await gateway.ask(path, { token: "admin", ...ask });
    return status === 500 ? [`${ask.method ?? "GET"} ${path} ${JSON.stringify(ask.body)}: ${text}`] : [];
  };

  it("are refused by the name of their parameter", async () => {
    const { status, text } = await gateway.ask("/v2.1/os-server-groups?offset=4294967296");
    assert.equal(status, 400);
    assert.match(text, /offset/);
  });

  it("never fail as the query parameter of any route", async () => {
    const faults: string[] = [];
    for (const { route, query } of operations.values()) {
      const [method = "", path = ""] = route.split(" ");
      if (query === undefined) continue;
      for (const version of [MIN_VERSION, MAX_VERSION]) {
        const { properties = {}, patternProperties = {} } = query({ version, legacy: false }) as {
          readonly properties?: object;
          readonly patternProperties?: object;
        };
        const names = [
          ...Object.keys(properties),
          ...(Object.keys(patternProperties).length > 0 ? ["x"] : []),
        ];
        const asks = names.flatMap((name) =>
          numbers.map((number) =>
            mayAnswer(`/v2.1${path.replace(/\{\w+\}/g, number)}?${name}=${number}`, {
              method,
              version: `2.${version}`,
            }),
          ),
        );
        faults.push(...(await Promise.all(asks)).flat());
      }
    }
    assert.deepEqual(faults, []);
  });

  it("never fail in any field of a body that takes whole numbers, as numbers or as text", async () => {
    const faults: string[] = [];
    const tried = new Set<string>();
    for (const [route, path, ask] of translations) {
      const body = operations.get(route)?.body;
      if (body === undefined || ask.body === undefined) continue;
      for (const field of integersIn(body(envOf(ask))))
        for (const number of numbers)
          for (const value of [number, Number(number)]) {
            tried.add(`${route} ${field}`);
            const changed = withNumber(ask.body as Json, field.split("/"), value);
            faults.push(...(await mayAnswer(`/v2.1${path}`, { ...ask, body: changed })));
          }
    }
    assert.deepEqual(faults, []);
    const declared = [...operations.values()]
      .filter(({ route }) => standsFor(route) === route)
      .flatMap(fieldsOf);
    assert.deepEqual(
      declared.filter((field) => !tried.has(field)),
      [],
    );
  });
});

/** All integer fields of a route's body, in whichever version. */
function fieldsOf({ route, body }: Operation): string[] {
  if (body === undefined) return [];
  const versions = Array.from({ length: MAX_VERSION - MIN_VERSION + 1 }, (_, at) => MIN_VERSION + at);
  const fields = versions.flatMap((version) => integersIn(body({ version, legacy: false })));
  return [...new Set(fields)].map((field) => `${route} ${field}`);
}
