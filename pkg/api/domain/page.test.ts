import assert from "node:assert/strict";
import { fittingRows, rowsOf } from "./page.js";

describe("pages", () => {
  it("have a default and a most", () => {
    assert.deepEqual([0, 1, 1000, 1001, 4_000_000_000].map(rowsOf), [100, 1, 1000, 1000, 1000]);
  });
  it("end where their bytes do, after one row at least", () => {
    const lengths = (rows: readonly number[]) => fittingRows(rows, (row) => row, 10);
    assert.deepEqual(lengths([4, 4, 2, 1]), [4, 4, 2]);
    assert.deepEqual(lengths([11, 1]), [11]);
    assert.deepEqual(lengths([1, 11]), [1]);
    assert.deepEqual(lengths([]), []);
  });
});
