import assert from "node:assert/strict";
import { setImmediate as later } from "node:timers/promises";
import { Lanes } from "./lanes.js";

describe("lanes", () => {
  it("run what has the same key one after the other, whatever fails, and other keys beside", async () => {
    const lanes = new Lanes();
    const told: string[] = [];
    const run = (key: string, name: string, fails = false) =>
      lanes.run(key, async () => {
        told.push(`${name}+`);
        await later();
        told.push(`${name}-`);
        if (fails) throw new Error(name);
      });
    const all = await Promise.allSettled([run("k", "a", true), run("k", "b"), run("other", "c")]);
    assert.deepEqual(
      all.map(({ status }) => status),
      ["rejected", "fulfilled", "fulfilled"],
    );
    assert.ok(told.indexOf("a-") < told.indexOf("b+"));
    assert.ok(told.indexOf("c+") < told.indexOf("a-"));
  });
});
