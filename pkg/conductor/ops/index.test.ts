import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { kindFactories } from "./index.gen.js";

describe("the registry of kinds", () => {
  it("has every file of the folder", () => {
    const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts") && !/^(deps|index)\b|\.test\.ts$/.test(name)).map((name) => name.slice(0, -3));
    assert.deepEqual(Object.keys(kindFactories).sort(), files.sort());
  });
});
