import assert from "node:assert/strict";
import { OperationError } from "../../gen/kilonova/type/v1/operation.js";
import { refusalsFact } from "../../pkg/model/operation-error.js";
import { isExplained, refusalsOf, unexplainedBoots } from "./failed-boots.js";
import type { Failure } from "./failed-boots.js";

const failure = (more: Partial<Failure>): Failure => ({
  ...{ id: "o", serverId: "s", kind: "server.boot", reason: "MAX_RETRIES_EXCEEDED", message: "" },
  ...{ steps: [], refusals: [] },
  ...more,
});
const step = (reason: string) => ({ name: "spawn", reason, message: "" });

describe("failed boots of a soak", () => {
  it("are explained by scripted faults on any of their hosts, and by agents that were away", () => {
    assert.ok(isExplained(failure({ steps: [step("SOAKED"), step("MAX_RETRIES_EXCEEDED")] })));
    assert.ok(isExplained(failure({ reason: "NO_VALID_HOST", refusals: ["ComputeFilter HOST_DOWN ×3"] })));
    assert.ok(
      isExplained(
        failure({ reason: "VOLUME_NOT_MADE", message: "Invalid volume: status must be available." }),
      ),
    );
  });

  it("are read with the scheduler's refusals, as they are stored", () => {
    const refusals = refusalsFact([{ rule: "ComputeFilter", reason: "HOST_DOWN", hosts: 1, facts: {} }]);
    const stored = OperationError.fromPartial({
      reason: "NO_VALID_HOST",
      facts: new Map([["refusals", refusals]]),
    });
    assert.deepEqual(refusalsOf(stored), ["ComputeFilter HOST_DOWN ×1"]);
    assert.deepEqual(refusalsOf(OperationError.fromPartial({ reason: "SOAKED" })), []);
  });

  it("are findings when no host was away and no driver was told to fail", () => {
    const odd = [
      failure({ reason: "NO_VALID_HOST", refusals: ["placement CAPACITY_EXCEEDED ×3"] }),
      failure({ steps: [step("HYPERVISOR_FAILED")] }),
      failure({ reason: "VOLUME_NOT_MADE", message: "Volume v did not finish being created." }),
    ];
    assert.equal(unexplainedBoots(odd).length, odd.length);
    assert.match(unexplainedBoots(odd)[1] ?? "", /HYPERVISOR_FAILED/);
    assert.deepEqual(unexplainedBoots(odd.map((one) => ({ ...one, kind: "server.pause" }))), []);
  });
});
