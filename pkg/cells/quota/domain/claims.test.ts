import assert from "node:assert/strict";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { aServer } from "../../testing/records.js";
import { endedWell, extraOf, heldByRecord, isReached, outcomeOf, refusalOfExtra, settled } from "./claims.js";

const counted = (instances: number, cores: number, ram: number) => ({ instances, cores, ram });

describe("claims on quota", () => {
  it("take only what is more, resource by resource", () =>
    assert.deepEqual(extraOf(counted(1, 4, 512), counted(1, 2, 2_048)), counted(0, 0, 1_536)));
  it("are refused where something more does not fit, in Nova's words", () =>
    assert.deepEqual(refusalOfExtra(counted(0, 2, 512), counted(3, 7, 1_024), counted(3, 8, 1_024)), {
      resources: "cores, ram",
      requested: "2, 512",
      used: "7, 1024",
      limit: "8, 1024",
    }));
  it("are not held to limits of what they do not take more of, nor to none", () => {
    assert.equal(refusalOfExtra(counted(0, 0, 512), counted(9, 99, 0), counted(1, 1, 512)), undefined);
    assert.equal(refusalOfExtra(counted(0, 1, 0), counted(1, 1, 1), counted(-1, -1, -1)), undefined);
  });
  it("are what the server holds once it ended well, and what is less is given back", () =>
    assert.deepEqual(settled(counted(1, 4, 512), counted(0, 0, 1_536), counted(1, 2, 2_048), true), {
      held: counted(1, 2, 2_048),
      change: counted(0, -2, 0),
    }));
  it("are given back otherwise", () =>
    assert.deepEqual(settled(counted(1, 4, 512), counted(0, 0, 1_536), counted(1, 2, 2_048), false), {
      held: counted(1, 4, 512),
      change: counted(0, 0, -1_536),
    }));
  it("are settled by what the server holds where the operation was ended from outside", () => {
    const { OPERATION_STATE_FAILED: FAILED, OPERATION_STATE_SUCCEEDED: SUCCEEDED } = OperationState;
    const held = { instances: 1, cores: 4, memoryMib: 512 };
    const target = counted(1, 4, 512);
    assert.deepEqual(outcomeOf(FAILED, held), target);
    assert.deepEqual([outcomeOf(FAILED, undefined), outcomeOf(SUCCEEDED, held)], [false, true]);
    assert.equal(outcomeOf(OperationState.OPERATION_STATE_NEEDS_OPERATOR, held), undefined);
    assert.deepEqual(
      [isReached(target, target), isReached(counted(1, 2, 512), target), isReached(true, target)],
      [true, false, true],
    );
  });
  it("are of what the record says, and of nothing once it is deleted", () => {
    const server = aServer({ id: "s" });
    assert.deepEqual(heldByRecord(server), counted(1, 1, 512));
    assert.deepEqual(heldByRecord({ ...server, deletedAt: server.createdAt }), counted(0, 0, 0));
    assert.deepEqual(heldByRecord({ ...server, vmState: VmState.VM_STATE_SOFT_DELETED }), counted(0, 0, 0));
  });
  it("wait for an end", () => {
    assert.equal(endedWell(OperationState.OPERATION_STATE_PARKED), undefined);
    assert.equal(endedWell(OperationState.OPERATION_STATE_NEEDS_OPERATOR), undefined);
    assert.equal(endedWell(OperationState.OPERATION_STATE_UNSPECIFIED), undefined);
    assert.equal(endedWell(OperationState.OPERATION_STATE_PREEMPTED), false);
  });
});
