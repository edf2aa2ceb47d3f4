import assert from "node:assert/strict";
import { between, never, since, until } from "../microversion/version.js";
import { FragmentCache, joinList } from "./fragments.js";
import type { Field } from "./view.js";
import { View } from "./view.js";
import { fromTimestamp, toTimestamp } from "../../model/wire-time.js";

interface Thing {
  readonly a: number;
  readonly b: string;
}
const fields: readonly Field<Thing, null, "long" | "short">[] = [
  { name: "a", span: until("2.4"), value: (t) => t.a },
  { name: "a", span: since("2.5"), value: (t) => String(t.a) },
  {
    name: "b",
    span: between("2.3", "2.6"),
    forms: { short: never },
    value: (t) => (t.b === "" ? undefined : t.b),
  },
  { name: "c", hiddenAs: "c", value: () => "all" },
  { name: "c", onlyIfHidden: "c", value: () => "some" },
];
const thing: Thing = { a: 1, b: "x" };

describe("gateway: views", () => {
  const long = new View("long", fields);

  it("shows each field in its versions, forms and rights", () => {
    assert.deepEqual(long.shape(2).render(thing, null), { a: 1, c: "all" });
    assert.deepEqual(long.shape(3).render(thing, null), { a: 1, b: "x", c: "all" });
    assert.deepEqual(long.shape(5, ["c", "unknown.path"]).render({ a: 1, b: "" }, null), {
      a: "1",
      c: "some",
    });
    assert.deepEqual(new View("short", fields).shape(3).render(thing, null), { a: 1, c: "all" });
  });

  it("makes one shape for versions that show the same", () => {
    assert.equal(long.shape(3), long.shape(4));
    assert.equal(long.shape(7), long.shape(104));
    assert.notEqual(long.shape(3).id, long.shape(3, ["c"]).id);
    assert.notEqual(long.shape(7).id, new View("short", fields).shape(7).id);
  });

  it("refuses fields of one name that meet", () => {
    const clash: Field<Thing, null>[] = [
      { name: "a", value: () => 1 },
      { name: "a", span: since("2.9"), value: () => 2 },
    ];
    assert.doesNotThrow(() => new View("x", clash).shape(8));
    assert.throws(() => new View("x", clash).shape(9), /share a name/);
  });

  it("keeps fragments up to a number of bytes, the last used longest", () => {
    const cache = new FragmentCache(5_000);
    const text = "x".repeat(1_000);
    const made: string[] = [];
    const ask = (cached: FragmentCache, key: string, source: string): string =>
      cached
        .of(key, Buffer.from(source), () => {
          made.push(key);
          return text;
        })
        .toString();
    for (const key of ["a", "b", "c", "a", "d", "a", "b"]) assert.equal(ask(cache, key, "s"), text);
    assert.deepEqual(made, ["a", "b", "c", "d", "b"], "b was used least when d came");
    made.length = 0;
    const none = new FragmentCache(0);
    for (const key of ["a", "a"]) ask(none, key, "s");
    assert.deepEqual(made, ["a", "a"]);
  });

  it("uses a fragment only for exactly what it was made of, whatever becomes of the answer it came in", () => {
    const cache = new FragmentCache(100_000);
    const answer = Buffer.from("one");
    const of = (source: Uint8Array): string =>
      cache.of("a", source, () => Buffer.from(source).toString().toUpperCase()).toString();
    assert.equal(of(answer), "ONE");
    answer.write("two");
    assert.equal(of(answer), "TWO");
    assert.equal(of(Buffer.from("one")), "ONE");
    assert.equal(cache.of("a", Buffer.from("one"), () => "made again").toString(), "ONE");
  });

  it("joins lists with their tail", () => {
    assert.equal(joinList("xs", [], "").toString(), '{"xs":[]}');
    assert.equal(
      joinList("xs", [Buffer.from("1"), Buffer.from("2")], ',"n":3').toString(),
      '{"xs":[1,2],"n":3}',
    );
  });

  it("keeps microseconds, also before 1970", () => {
    for (const at of [0n, 1_762_000_000_123_456n, -1n, -1_000_001n])
      assert.equal(fromTimestamp(toTimestamp(at)), at);
  });
});
