import assert from "node:assert/strict";
import { UnshelveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { aServer } from "../../cells/testing/records.js";
import { operationError } from "../engine/kind.js";
import { SERVER, aCall } from "../testing/a-call.js";
import { failed } from "./unshelve-offloaded-server.js";

/** What a server in this state is afterwards. */
function after(reason: string, vmState: VmState) {
  const call = {
    ...aCall({ instance: { server: aServer({ id: SERVER, vmState }) } }),
    input: UnshelveInput.fromPartial({ offloaded: true }),
  };
  const { set } = failed(call, operationError({ reason, domain: "compute", message: "m" }), "");
  assert.deepEqual(
    [set?.fault?.reason, set?.taskState, set?.powerState],
    [reason, "", PowerState.POWER_STATE_SHUTDOWN],
  );
  return set?.vmState;
}

describe("an unshelve that did not end well", () => {
  const { VM_STATE_ERROR, VM_STATE_SHELVED_OFFLOADED } = VmState;

  it("leaves the server offloaded, also when an operator had to look after it", () => {
    for (const before of [VM_STATE_SHELVED_OFFLOADED, VM_STATE_ERROR])
      assert.equal(after("HYPERVISOR_FAILED", before), VM_STATE_SHELVED_OFFLOADED);
  });

  it("leaves it in ERROR without its image", () =>
    assert.equal(after("SHELVED_IMAGE_GONE", VM_STATE_SHELVED_OFFLOADED), VM_STATE_ERROR));
});
