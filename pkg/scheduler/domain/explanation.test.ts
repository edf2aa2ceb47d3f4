import assert from "node:assert/strict";
import { explain, summaryText } from "./explanation.js";
import { refuse } from "./verdict.js";

describe("explain", () => {
  const explanation = explain(
    4,
    [
      {
        host: "b",
        rule: "placement",
        refusal: refuse("NOT_ENOUGH", { resource_class: "VCPU", free: 1 }, 0.75),
      },
      {
        host: "a",
        rule: "placement",
        refusal: refuse("NOT_ENOUGH", { resource_class: "VCPU", free: 3 }, 0.25),
      },
      { host: "c", rule: "placement", refusal: refuse("NOT_ENOUGH", { resource_class: "DISK_GB", free: 0 }) },
    ],
    ["d"],
  );
  it("counts by rule and reason, each resource class apart, with the nearest miss", () =>
    assert.deepEqual(
      explanation.refusals.map((one) => [one.hosts, one.nearestHost, one.nearestFacts["free"]]),
      [
        [2, "a", "3"],
        [1, "c", "0"],
      ],
    ));
  it("says it in one line without hosts", () =>
    assert.equal(
      summaryText(explanation),
      "2 of 4 hosts: placement NOT_ENOUGH (resource_class=VCPU free=3); 1 of 4 hosts: placement NOT_ENOUGH (resource_class=DISK_GB free=0)",
    ));
  it("says so when there are no hosts", () =>
    assert.equal(summaryText(explain(0, [], [])), "no compute host is known"));
});
