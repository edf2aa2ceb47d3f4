import assert from "node:assert/strict";
import { isoMicros, isoSeconds, parseIso } from "./time.js";

describe("times as text", () => {
  const times: readonly (readonly [text: string, at: bigint])[] = [
    ["1970-01-01T00:00:00.000000", 0n],
    ["1969-12-31T23:59:59.999999", -1n],
    ["0001-01-01T00:00:00.000001", -62_135_596_799_999_999n],
    ["2026-11-22T11:39:16.123456", 1_795_347_556_123_456n],
    ["2024-02-29T23:59:59.000009", 1_709_251_199_000_009n],
    ["9999-12-31T23:59:59.999999", 253_402_300_799_999_999n],
  ];

  for (const [text, at] of times)
    it(`has ${text} both ways, to the microsecond`, () => {
      assert.equal(isoMicros(at), text);
      assert.equal(isoSeconds(at), `${text.slice(0, 19)}Z`);
      assert.equal(parseIso(text), at);
    });

  it("knows no times outside the years 1 to 9999, of which a zone may be the reason", () => {
    const beyond = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"];
    assert.deepEqual(beyond.map(parseIso), [undefined, undefined, undefined]);
  });

  it("agrees with Date on any day, in any order", () => {
    for (let step = -5_000; step < 5_000; step++) {
      const ms = step * 1_234_567_891;
      assert.equal(isoMicros(BigInt(ms) * 1_000n + 7n), new Date(ms).toISOString().replace("Z", "007"));
    }
  });
});
