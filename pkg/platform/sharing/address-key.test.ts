import assert from "node:assert/strict";
import { addressKey } from "./address-key.js";

describe("what counts as one address", () => {
  for (const [remote, key] of [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"],
    ["2001:db8:1:2:ffff::1", "2001:db8:1:2::"],
    ["2001:db8:1:3::1", "2001:db8:1:3::"],
    ["fe80::1%eth0", "fe80::"],
    [undefined, "?"],
  ] as const)
    it(`takes ${String(remote)} for ${key}`, () => assert.equal(addressKey(remote), key));
});
