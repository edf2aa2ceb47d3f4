import assert from "node:assert/strict";
import type { Json } from "../http/json.js";
import { parseQuery } from "../http/query.js";
import { since, until } from "../microversion/version.js";
import { SchemaCompiler } from "./compiler.js";
import {
  array,
  boolean,
  choice,
  integer,
  KEY_PATTERN,
  looseName,
  name,
  object,
  oneOf,
  optional,
  parameter,
  query,
  required,
  text,
  uuid,
} from "./nodes.js";
import type { Node } from "./nodes.js";

const thing: Node = object([
  required("name", name, { legacy: "never" }),
  required("name", looseName, { legacy: "only" }),
  optional("size", integer({ min: 1, max: 10 })),
  optional("flag", boolean),
  optional("kind", choice("a", "b"), since("2.5")),
  optional("old", text(), until("2.4")),
  optional("ids", array(uuid, { uniqueItems: true, maxItems: 2 })),
  optional("free", object([], { patterns: { [KEY_PATTERN]: text({ maxLength: 3 }) } })),
  optional("either", oneOf(uuid, choice("none"))),
]);

describe("gateway: schemas", () => {
  const compiler = new SchemaCompiler();
  const refusal = (body: Json, minor = 5, legacy = false): string => {
    try {
      compiler.checkBody(thing, { version: minor, legacy }, body);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };

  const rows: readonly [body: Json, message: string][] = [
    [null, "None is not of type 'object'"],
    [{}, "'name' is a required property"],
    [{ name: "n", x: 1 }, "Additional properties are not allowed ('x' was unexpected)"],
    [{ name: 5 }, "Invalid input for field/attribute name. Value: 5. 5 is not of type 'string'"],
    [
      { name: " n" },
      "An invalid 'name' value was provided. The name must be: printable characters. Can not start or end with whitespace.",
    ],
    [
      { name: "n", size: 0 },
      "Invalid input for field/attribute size. Value: 0. 0 is less than the minimum of 1",
    ],
    [
      { name: "n", size: "11" },
      "Invalid input for field/attribute size. Value: 11. '11' is greater than the maximum of 10",
    ],
    [
      { name: "n", size: 1.5 },
      "Invalid input for field/attribute size. Value: 1.5. 1.5 is not of type 'integer', 'string'",
    ],
    [
      { name: "n", flag: 1 },
      "Invalid input for field/attribute flag. Value: 1. 1 is not of type 'boolean', 'string'",
    ],
    [
      { name: "n", kind: "c" },
      "Invalid input for field/attribute kind. Value: c. 'c' is not one of ['a', 'b']",
    ],
    [{ name: "n", ids: ["x"] }, "Invalid input for field/attribute 0. Value: x. 'x' is not a 'uuid'"],
    [
      { name: "n", ids: [null] },
      "Invalid input for field/attribute 0. Value: None. None is not of type 'string'",
    ],
    [
      { name: "n", free: { a: "long" } },
      "Invalid input for field/attribute a. Value: long. 'long' is too long",
    ],
    [
      { name: "n", either: "x" },
      "Invalid input for field/attribute either. Value: x. 'x' is not valid under any of the given schemas",
    ],
  ];
  for (const [body, message] of rows) {
    it(message, () => assert.equal(refusal(body), message));
  }

  it("accepts numbers as text, whole floats and every word for a boolean", () => {
    for (const size of [5, 5.0, "5"]) assert.equal(refusal({ name: "n", size }), "");
    for (const flag of [true, "ON", "no", "1"]) assert.equal(refusal({ name: "n", flag }), "");
    assert.notEqual(refusal({ name: "n", flag: "y" }), "");
  });

  it("accepts fields in their spans only", () => {
    assert.equal(refusal({ name: "n", old: "x" }, 4), "");
    assert.match(refusal({ name: "n", old: "x" }, 5), /Additional properties/);
    assert.match(refusal({ name: "n", kind: "a" }, 4), /Additional properties/);
  });

  it("compiles each distinct shape once", () => {
    const fresh = new SchemaCompiler();
    for (let version = 1; version <= 104; version++)
      fresh.checkBody(thing, { version, legacy: false }, { name: "n" });
    assert.equal(fresh.size, 2);
  });

  it("relaxes bodies under /v2: unknown keys go, names are trimmed, free keys stay strict", () => {
    const relaxed = compiler.checkBody(thing, { version: 1, legacy: true }, { name: " n ", x: 1 });
    assert.deepEqual(relaxed, { name: "n" });
    assert.match(refusal({ name: "n", free: { "a/b": "c" } }, 1, true), /Additional properties/);
    assert.match(refusal({ x: 1 }, 1, true), /required property|Additional properties/);
  });

  const list = query(since("2.75"), [
    parameter("limit", integer({ min: 0, max: "cut" })),
    parameter("one", text(), { single: true }),
  ]);
  const check = (text_: string, version: number) =>
    compiler.checkQuery(list, { version, legacy: false }, parseQuery(text_));

  it("drops unknown parameters, and refuses them in strict versions", () => {
    assert.deepEqual([...check("limit=1&x=2", 74)], [["limit", ["1"]]]);
    assert.throws(() => check("limit=1&x=2", 75), {
      message: "Additional properties are not allowed ('x' was unexpected)",
    });
    assert.throws(() => check("limit=x", 1), {
      message: "Invalid input for query parameters limit. Value: x. 'x' does not match '^[0-9]+$'",
    });
    assert.throws(() => check("one=1&one=2", 1), /Invalid input for query parameters one/);
    assert.deepEqual([...check("limit=1&limit=2", 1)], [["limit", ["1", "2"]]]);
    assert.deepEqual([...check("__proto__=1&limit=3", 1)], [["limit", ["3"]]]);
  });
});
