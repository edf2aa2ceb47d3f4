import assert from "node:assert/strict";
import { z } from "zod";
import { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { outputOf } from "../engine/outputs.js";
import { operationError } from "../engine/kind.js";
import { aCall, finished } from "../testing/a-call.js";
import { failed } from "./rebuild-server.js";

const step = (name: string, state: string) => finished(outputOf(name, z.object({})), {}, state);
const begun = (name: string) => ({ ...step(name, "undone"), output: Buffer.alloc(0) });
const prepared = step("prepare-disks", "undone");

/** What becomes of the lasting state; undefined when it stays. */
const after = (reason: string, ...steps: readonly ReturnType<typeof step>[]): VmState | undefined => {
  const call = { ...aCall({ steps }), input: RebuildInput.fromPartial({}) };
  const { set } = failed(call, operationError({ reason, domain: "compute", message: "m" }), "");
  assert.equal(set?.fault?.reason, reason);
  assert.equal(set?.taskState, "");
  return set?.vmState;
};

describe("a rebuild that did not end well", () => {
  it("leaves the server as it was while its disks are its own", () => {
    assert.equal(after("NO_VALID_HOST"), undefined);
    assert.equal(after("TOOL_FAILED", begun("prepare-disks")), undefined);
    assert.equal(after("OPERATION_CANCELLED", prepared, begun("replace-disks")), undefined);
  });
  it("leaves it in ERROR once they may have gone", () => {
    assert.equal(after("STEP_DEADLINE", prepared, begun("replace-disks")), VmState.VM_STATE_ERROR);
    const replaced = step("replace-disks", "undone");
    assert.equal(
      after("HYPERVISOR_FAILED", prepared, replaced, begun("spawn-guest")),
      VmState.VM_STATE_ERROR,
    );
  });
  it("leaves it stopped when it was cancelled between the new disks and the start", () => {
    const replaced = step("replace-disks", "undone");
    assert.equal(
      after("OPERATION_CANCELLED", prepared, replaced, begun("spawn-guest")),
      VmState.VM_STATE_STOPPED,
    );
  });
});
