import assert from "node:assert/strict";
import { MOST_AT_ONCE, affordable } from "./affordable.js";

describe("affordable", () => {
  const need = { instances: 1, cores: 2, ram: 512 };
  const quotas = (instances: bigint, cores: bigint, ram: bigint) =>
    new Map([
      ["instances", { limit: instances, used: 4n }],
      ["cores", { limit: cores, used: 8n }],
      ["ram", { limit: ram, used: 2048n }],
    ]);
  const most = 2_147_483_647;

  it("is all when all fit", () =>
    assert.equal(affordable({ min: 1, max: 3 }, need, quotas(10n, 20n, -1n)), 3));
  it("is what the scarcest resource bears", () => {
    assert.equal(affordable({ min: 1, max: most }, need, quotas(10n, 20n, -1n)), 6);
    assert.equal(affordable({ min: 1, max: most }, need, quotas(10n, 13n, -1n)), 2);
    assert.equal(affordable({ min: 1, max: most }, need, quotas(10n, 20n, 2600n)), 1);
  });
  it("is one too many when the least number does not fit, never all of it", () => {
    assert.equal(affordable({ min: most, max: most }, need, quotas(10n, 20n, -1n)), 7);
    assert.equal(affordable({ min: 2, max: 2 }, need, quotas(4n, 8n, 2048n)), 1);
    assert.equal(affordable({ min: 1, max: 1 }, need, quotas(1n, 1n, 1n)), 1);
  });
  it("ends somewhere without a quota", () => {
    assert.equal(affordable({ min: 1, max: most }, need, quotas(-1n, -1n, -1n)), MOST_AT_ONCE);
    assert.throws(() => affordable({ min: MOST_AT_ONCE + 1, max: most }, need, new Map()), {
      reason: "TOO_MANY_SERVERS",
    });
  });
});
