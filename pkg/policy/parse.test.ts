import assert from "node:assert/strict";
import { parseCheck } from "./parse.js";

describe("parseCheck", () => {
  it("binds not before and before or", () => {
    assert.deepEqual(parseCheck("role:a or not role:b and role:c"), {
      type: "or",
      of: [
        { type: "role", match: "a" },
        {
          type: "and",
          of: [
            { type: "not", of: { type: "role", match: "b" } },
            { type: "role", match: "c" },
          ],
        },
      ],
    });
  });

  it("keeps the parentheses of placeholders and nests the others", () => {
    assert.deepEqual(parseCheck("(rule:x) or ((user_id:%(user_id)s))"), {
      type: "or",
      of: [
        { type: "rule", name: "x" },
        { type: "compare", left: "user_id", match: "%(user_id)s" },
      ],
    });
  });

  it("reads the empty text and @ as always, ! as never", () => {
    assert.deepEqual(
      [parseCheck(""), parseCheck("@"), parseCheck("!")],
      [{ type: "always" }, { type: "always" }, { type: "never" }],
    );
  });

  for (const bad of [
    "role:a or",
    "(role:a",
    "role:a)",
    "role:a role:b",
    "admin",
    "not",
    "http://policy.example/x",
  ]) {
    it(`refuses "${bad}"`, () => {
      assert.throws(() => parseCheck(bad), SyntaxError);
    });
  }
});
