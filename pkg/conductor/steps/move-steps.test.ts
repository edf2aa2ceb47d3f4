import assert from "node:assert/strict";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { operationError } from "../engine/kind.js";
import { aMove, statusesOf } from "../testing/a-move.js";
import { moveFailed } from "./move-steps.js";

const error = operationError({ reason: "HYPERVISOR_FAILED", domain: "compute", message: "no" });
const { VM_STATE_ACTIVE, VM_STATE_ERROR, VM_STATE_STOPPED } = VmState;
const { POWER_STATE_RUNNING, POWER_STATE_SHUTDOWN } = PowerState;

/** What becomes of a server in this state; undefined when it stays. */
async function after(vmState: VmState, powerState: PowerState): Promise<VmState | undefined> {
  const { moving, server } = await aMove();
  const call = moving({}, { instance: { server: { ...server, vmState, powerState } } });
  const change = moveFailed(call, error, "");
  assert.deepEqual(
    [change.set?.taskState, change.set?.fault?.reason, statusesOf(change)],
    ["", "HYPERVISOR_FAILED", ["error"]],
  );
  return change.set?.vmState;
}

describe("a move that was taken back", () => {
  it("leaves the server what it was", async () => {
    assert.equal(await after(VM_STATE_ACTIVE, POWER_STATE_RUNNING), undefined);
    assert.equal(await after(VM_STATE_STOPPED, POWER_STATE_SHUTDOWN), undefined);
  });

  it("makes it what its guest is when an operator had to look after it", async () => {
    assert.equal(await after(VM_STATE_ERROR, POWER_STATE_RUNNING), VM_STATE_ACTIVE);
    assert.equal(await after(VM_STATE_ERROR, POWER_STATE_SHUTDOWN), VM_STATE_STOPPED);
  });
});
