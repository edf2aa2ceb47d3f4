import assert from "node:assert/strict";
import { readRange } from "./data-routes.js";

describe("ranges of image data", () => {
  it("are read as RFC 9110 has them", () => {
    assert.deepEqual(readRange("bytes=0-0", 10), { start: 0, end: 0 });
    assert.deepEqual(readRange("bytes=4-", 10), { start: 4, end: 9 });
    assert.deepEqual(readRange("bytes=4-99", 10), { start: 4, end: 9 });
    assert.deepEqual(readRange("bytes=-3", 10), { start: 7, end: 9 });
    assert.deepEqual(readRange("bytes=-99", 10), { start: 0, end: 9 });
  });

  it("are ignored when they are none, and refused when they lie outside", () => {
    for (const none of [undefined, "", "bytes=-", "bytes=a-b", "items=0-1", "bytes=0-1,3-4"])
      assert.equal(readRange(none, 10), undefined, none);
    for (const outside of ["bytes=10-", "bytes=10-12", "bytes=5-4", "bytes=-0"])
      assert.equal(readRange(outside, 10), "unsatisfiable", outside);
    assert.equal(readRange("bytes=0-", 0), "unsatisfiable");
  });
});
