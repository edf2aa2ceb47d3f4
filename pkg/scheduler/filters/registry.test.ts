import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { weighers } from "../weighers/index.gen.js";
import { filters } from "./index.gen.js";

const filesIn = (room: string): string[] =>
  readdirSync(new URL(`../${room}/`, import.meta.url)).filter(
    (file) => file.endsWith(".ts") && !/\.(test|gen)\.ts$/.test(file),
  );

for (const [room, rules] of [
  ["filters", filters],
  ["weighers", weighers],
] as const) {
  describe(`registry of ${room}`, () => {
    it("holds every file, each under a name of its own", () => {
      assert.equal(rules.length, filesIn(room).length, "run npm run gen");
      assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length);
    });
    for (const file of filesIn(room)) {
      it(`${file} has a test beside it`, () =>
        assert.ok(existsSync(new URL(`../${room}/${file.replace(/\.ts$/, ".test.ts")}`, import.meta.url))));
    }
  });
}

describe("filters' options", () => {
  for (const { name, options } of filters) {
    for (const [key, option] of Object.entries(options))
      it(`${name}: ${key} is documented`, () =>
        assert.ok(option instanceof Object && "description" in option && option.description));
  }
});
