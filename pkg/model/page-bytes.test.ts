import assert from "node:assert/strict";
import { fittingRows } from "./page-bytes.js";

describe("the bytes of a page", () => {
  it("end it where they are too many, after one row at least", () => {
    const lengths = (rows: readonly number[]) => fittingRows(rows, (row) => row, 10);
    assert.deepEqual(lengths([4, 4, 2, 1]), [4, 4, 2]);
    assert.deepEqual(lengths([11, 1]), [11]);
    assert.deepEqual(lengths([1, 11]), [1]);
    assert.deepEqual(lengths([]), []);
  });
});
