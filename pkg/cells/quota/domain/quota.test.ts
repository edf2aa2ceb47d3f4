import assert from "node:assert/strict";
import { fitQuota } from "./quota.js";

describe("fitQuota", () => {
  const one = { cores: 2, ram: 512 };
  const used = { instances: 8, cores: 10, ram: 1024 };
  it("takes all when all fit", () =>
    assert.equal(fitQuota([one, one], 1, used, { instances: 10, cores: 20, ram: -1 }), 2));
  it("takes as many as fit, at least min_count", () =>
    assert.equal(fitQuota([one, one, one], 2, used, { instances: 10, cores: 20, ram: -1 }), 2));
  it("refuses when min_count does not fit, naming every resource that is over", () =>
    assert.deepEqual(fitQuota([one, one, one], 3, used, { instances: 10, cores: 14, ram: -1 }), {
      resources: "instances, cores",
      requested: "3, 6",
      used: "8, 10",
      limit: "10, 14",
    }));
  it("refuses for all of min_count when only the first that does not fit is described", () =>
    assert.deepEqual(fitQuota([one, one, one], 1000, used, { instances: 10, cores: -1, ram: -1 }), {
      resources: "instances",
      requested: "1000",
      used: "8",
      limit: "10",
    }));
  it("treats -1 as unlimited", () =>
    assert.equal(
      fitQuota([one], 1, { instances: 1e6, cores: 1e6, ram: 1e6 }, { instances: -1, cores: -1, ram: -1 }),
      1,
    ));
});
