import assert from "node:assert/strict";
import { OperationError } from "../../gen/kilonova/type/v1/operation.js";
import { OPERATORS_FACT, ownersError, refusalsFact } from "./operation-error.js";

const stored = (facts: Record<string, string>, reason = "NO_VALID_HOST"): OperationError =>
  OperationError.fromPartial({ reason, message: "m", facts: new Map(Object.entries(facts)) });

describe("an operation's error as its owner sees it", () => {
  it("keeps back what a step tells operators", () => {
    const shown = ownersError(stored({ [OPERATORS_FACT]: "Error: /srv/h1", step: "s" }, "INTERNAL"));
    assert.deepEqual([...(shown?.facts ?? [])], [["step", "s"]]);
    assert.deepEqual([shown?.message, shown?.noValidHost], ["m", undefined]);
  });
  it("tells the scheduler's refusals as a message", () => {
    const refusals = refusalsFact([
      { rule: "placement", reason: "NOT_ENOUGH", hosts: 3, facts: { needed: "2048", free: "512" } },
    ]);
    assert.deepEqual(ownersError(stored({ hosts_considered: "5", refusals }))?.noValidHost, {
      hostsConsidered: 5,
      refusals: [
        {
          rule: "placement",
          reason: "NOT_ENOUGH",
          hosts: 3,
          nearestFacts: new Map([
            ["needed", "2048"],
            ["free", "512"],
          ]),
        },
      ],
    });
  });
  it("is told without them when there are none, or no operation failed", () => {
    assert.equal(ownersError(stored({}))?.noValidHost, undefined);
    assert.deepEqual(ownersError(stored({ refusals: "{" }))?.noValidHost?.refusals, []);
    assert.equal(ownersError(undefined), undefined);
  });
});
