import assert from "node:assert/strict";
import { hostIdOf } from "./host-id.js";

describe("hostIdOf", () => {
  it("is Nova's hash of project and host", () =>
    assert.equal(hostIdOf("p", "h"), "0a5e9835749049c9b3e8370f570605297b49add5fbc4af20ad056840"));
  it("is another one for each project and each host, also when it was asked before", () => {
    const all = (): string[] => [hostIdOf("p", "h"), hostIdOf("q", "h"), hostIdOf("p", "i")];
    assert.equal(new Set(all()).size, 3);
    assert.deepEqual(all(), all());
  });
  it("is empty without a host", () => assert.equal(hostIdOf("p", ""), ""));
});
