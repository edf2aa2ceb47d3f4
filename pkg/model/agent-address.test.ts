import assert from "node:assert/strict";
import { hostAndPort } from "./agent-address.js";

describe("an agent's address", () => {
  for (const [address, host, port] of [
    ["h1.example:8780", "h1.example", 8780],
    ["10.0.0.1:1", "10.0.0.1", 1],
    ["[fd00::1]:8780", "fd00::1", 8780],
    ["agent:h1", "", 0],
    ["", "", 0],
  ] as const)
    it(`${address} is ${host} and ${port}`, () => assert.deepEqual(hostAndPort(address), { host, port }));
});
