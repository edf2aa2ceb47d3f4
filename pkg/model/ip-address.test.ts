import assert from "node:assert/strict";
import { canonicalIp, canonicalIpOr } from "./ip-address.js";

describe("canonicalIp", () => {
  // The right side is what inet_ntop of glibc prints, which netaddr uses.
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["192.0.2.7", "192.0.2.7"],
    ["0000:0000:0000:0000:0000:babe:220.12.22.2", "::babe:dc0c:1602"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::0001", "::1"],
    ["::ffff:c000:0207", "::ffff:192.0.2.7"],
    ["0:0:0:0:0:FFFF:192.0.2.7", "::ffff:192.0.2.7"],
    ["64:ff9b::192.0.2.7", "64:ff9b::c000:207"],
    ["::ffff:0:192.0.2.7", "::ffff:0:c000:207"],
    ["fe80::1%eth0", undefined],
    ["192.0.2.07", undefined],
    ["[::1]", undefined],
    ["::1/64", undefined],
    ["1:2", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases)
    it(`makes ${JSON.stringify(text)} ${expected ?? "nothing"}`, () =>
      assert.equal(canonicalIp(text), expected));

  it("is the same when done again, and leaves what it cannot read", () => {
    for (const [, text] of cases) if (text !== undefined) assert.equal(canonicalIp(text), text);
    assert.deepEqual(["", "x"].map(canonicalIpOr), ["", "x"]);
  });
});
