import assert from "node:assert/strict";
import { negotiate } from "./negotiate.js";
import { between, inSpan, since, until } from "./version.js";

describe("gateway/microversion", () => {
  const cases: readonly [generic: string | undefined, legacy: string | undefined, expected: string][] = [
    [undefined, undefined, "1"],
    ["compute 2.53", undefined, "53"],
    [undefined, "2.53", "53"],
    ["compute 2.90", "2.3", "90"],
    ["COMPUTE 2.90", undefined, "90"],
    ["identity 3.0", "2.3", "3"],
    ["identity 3.0", undefined, "1"],
    ["2.90", undefined, "1"],
    ["compute 2.10, volume 3.1, compute 2.20", undefined, "20"],
    ["compute latest", undefined, "104"],
    [undefined, "latest", "104"],
    ["compute 2.1", undefined, "1"],
    ["compute 2.104", undefined, "104"],
    ["compute Latest", undefined, "malformed Latest"],
    ["compute", undefined, "malformed "],
    [undefined, "", "malformed "],
    ["compute 2", undefined, "malformed 2"],
    ["compute 2.01", undefined, "malformed 2.01"],
    ["compute abc", undefined, "malformed abc"],
    ["compute 2.1 2.2", undefined, "malformed 2.1 2.2"],
    ["compute 2.105", undefined, "unsupported 2.105"],
    ["compute 2.0", undefined, "unsupported 2.0"],
    ["compute 1.1", undefined, "unsupported 1.1"],
    ["compute 3.0", undefined, "unsupported 3.0"],
    ["compute 12.5", undefined, "unsupported 12.5"],
  ];
  for (const [generic, legacy, expected] of cases) {
    it(`${generic ?? "-"} | ${legacy ?? "-"} → ${expected}`, () => {
      const result = negotiate(generic, legacy);
      assert.equal(
        result.kind === "version" ? String(result.version) : `${result.kind} ${result.asked}`,
        expected,
      );
    });
  }

  it("spans include both ends", () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((v) => inSpan(v, between("2.2", "2.3"))),
      [false, true, true, false],
    );
    assert.deepEqual(
      [1, 2].map((v) => inSpan(v, since("2.2"))),
      [false, true],
    );
    assert.deepEqual(
      [2, 3].map((v) => inSpan(v, until("2.2"))),
      [true, false],
    );
  });
});
