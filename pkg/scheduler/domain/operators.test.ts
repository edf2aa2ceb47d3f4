import assert from "node:assert/strict";
import { satisfies } from "./operators.js";

describe("satisfies", () => {
  const cases: readonly [have: string, wanted: string, result: boolean][] = [
    ["4", "4", true],
    ["4", "5", false],
    ["8", "= 4", true],
    ["2", "= 4", false],
    ["4", "== 4", true],
    ["4", "!= 4", false],
    ["4", ">= 4", true],
    ["5", "<= 4", false],
    ["10", "s< 9", true],
    ["abc", "s== abc", true],
    ["abc", "s!= abc", false],
    ["b", "s>= a", true],
    ["xyz", "<in> yz", true],
    ["xyz", "<in> a", false],
    ["a b c", "<all-in> a c", true],
    ["a b", "<all-in> a c", false],
    ["b", "<or> a <or> b", true],
    ["c", "<or> a <or> b", false],
    ["nan", ">= 1", false],
    ["two words", "two words", true],
    ["x", "<in>", false],
  ];
  for (const [have, wanted, result] of cases)
    it(`${have} ${result ? "satisfies" : "does not satisfy"} '${wanted}'`, () =>
      assert.equal(satisfies(have, wanted), result));
});
