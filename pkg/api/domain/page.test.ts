import assert from "node:assert/strict";
import { rowsOf } from "./page.js";

describe("pages", () => {
  it("have a default and a most", () => {
    assert.deepEqual([0, 1, 1000, 1001, 4_000_000_000].map(rowsOf), [100, 1, 1000, 1000, 1000]);
  });
});
