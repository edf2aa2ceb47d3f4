import assert from "node:assert/strict";
import { packageRoot } from "../../pkg/platform/service/index.js";
import { readRows } from "../findings/rows.js";

describe("the table of findings", () => {
  // Who changes a line that is spoiled there hears of it now, not at the end of everything.
  it("has all that it must have, and names files and lines that are there", () =>
    assert.doesNotThrow(() => readRows(packageRoot())));
});
