import assert from "node:assert/strict";
import { BoundedMap } from "./bounded-map.js";

describe("bounded map", () => {
  const keysOf = (map: BoundedMap<string, number>): string =>
    [..."abcdef"].filter((key) => map.get(key) !== undefined).join("");

  it("lets the entry written longest ago give way", () => {
    const map = new BoundedMap<string, number>(3);
    for (const key of "abc") map.set(key, 1);
    map.set("a", 2);
    map.set("d", 1);
    assert.equal(keysOf(map), "acd");
    assert.equal(map.get("a"), 2);
    map.set("e", 1);
    assert.equal(keysOf(map), "ade");
    assert.equal(map.size, 3);
  });

  it("deletes from anywhere", () => {
    for (const gone of "abc") {
      const map = new BoundedMap<string, number>(3);
      for (const key of "abc") map.set(key, 1);
      map.delete(gone);
      map.delete("nothing");
      map.set("d", 1);
      map.set("e", 1);
      assert.equal(map.size, 3);
      assert.ok(keysOf(map).endsWith("de"));
    }
  });

  it("deletes what a test picks", () => {
    const map = new BoundedMap<string, number>(9);
    for (const [i, key] of [..."abcdef"].entries()) map.set(key, i);
    map.deleteWhere((value) => value % 2 === 0);
    assert.equal(keysOf(map), "bdf");
    map.deleteWhere(() => true);
    map.set("a", 1);
    assert.equal(keysOf(map), "a");
  });
});
