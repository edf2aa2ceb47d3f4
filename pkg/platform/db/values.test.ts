import assert from "node:assert/strict";
import { parseInt8, parseTimestamptz, sqlTime, toParameter } from "./values.js";

describe("values", () => {
  it("reads int8 up to 2^53 and refuses to round beyond", () => {
    assert.equal(parseInt8("9007199254740991"), 9_007_199_254_740_991);
    assert.equal(parseInt8("-5"), -5);
    assert.throws(() => parseInt8("9007199254740993"), RangeError);
  });

  it("reads the server's timestamps to the microsecond", () => {
    assert.equal(parseTimestamptz("2026-11-22 11:39:16.123456+00"), 1_795_347_556_123_456n);
    assert.equal(parseTimestamptz("2026-11-22 11:39:16+00"), 1_795_347_556_000_000n);
    assert.equal(parseTimestamptz("2026-11-22 11:39:16.1+00"), 1_795_347_556_100_000n);
    assert.equal(parseTimestamptz("2026-11-22 11:39:16.00009+00"), 1_795_347_556_000_090n);
    assert.equal(parseTimestamptz("1969-12-31 23:59:59.999999+00"), -1n);
    assert.equal(parseTimestamptz("0001-01-01 00:00:00+00"), -62_135_596_800_000_000n);
    assert.equal(parseTimestamptz("2026-11-22 17:09:16.1+05:30"), 1_795_347_556_100_000n);
    assert.throws(() => parseTimestamptz("0044-03-15 12:00:00+00 BC"), RangeError);
    assert.throws(() => parseTimestamptz("infinity"), RangeError);
  });

  it("sends an Instant as text with its zone and leaves all else alone", () => {
    assert.equal(sqlTime(1_795_347_556_123_456n), "2026-11-22T11:39:16.123456Z");
    assert.equal(toParameter(1_795_347_556_000_000n), "2026-11-22T11:39:16.000000Z");
    assert.equal(toParameter(7), 7);
    assert.equal(toParameter(null), null);
  });
});
