import assert from "node:assert/strict";
import { newSecret } from "./crypto.js";

describe("secrets of Identity", () => {
  it("can be typed as arguments, and are never the same", () => {
    const made = Array.from({ length: 500 }, () => newSecret());
    for (const secret of made) assert.match(secret, /^k[\w-]{43}$/);
    assert.equal(new Set(made).size, made.length);
  });
});
