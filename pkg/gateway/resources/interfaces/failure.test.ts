import assert from "node:assert/strict";
import { Operation, OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { faultOf } from "../../faults.js";
import { attachFailure } from "./failure.js";

describe("an attachment that failed", () => {
  const cases: readonly [reason: string, status: number][] = [
    ["PORT_IN_USE", 409],
    ["FIXED_IP_IN_USE", 409],
    ["INVALID_STATE", 409],
    ["OPERATION_CANCELLED", 409],
    ["NO_MORE_FIXED_IPS", 400],
    ["PORT_NOT_FOUND", 404],
    ["PORT_LIMIT_EXCEEDED", 403],
  ];
  for (const [reason, status] of cases)
    it(`is answered with ${status} for ${reason}, in its words`, () => {
      const operation = Operation.fromPartial({ error: { reason, domain: "x", message: "As said." } });
      const fault = faultOf(attachFailure(operation, "s"), "req");
      assert.deepEqual([fault.status, fault.message], [status, "As said."]);
    });

  it("is a conflict when something else has ended it, such as a deletion", () => {
    const operation = Operation.fromPartial({ state: OperationState.OPERATION_STATE_PREEMPTED });
    const fault = faultOf(attachFailure(operation, "s"), "req");
    assert.deepEqual([fault.status, fault.key], [409, "conflictingRequest"]);
  });

  it("is Nova's own failure for all else", () => {
    for (const operation of [
      {},
      { error: { reason: "HYPERVISOR_FAILED", domain: "x", message: "secret" } },
    ]) {
      const fault = faultOf(attachFailure(Operation.fromPartial(operation), "s"), "req");
      assert.deepEqual(
        [fault.status, fault.key, fault.message],
        [500, "computeFault", "Failed to attach network adapter device to s"],
      );
    }
  });
});
