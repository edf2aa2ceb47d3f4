import assert from "node:assert/strict";
import { OperationProgress, OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { commandHost, goesOnAt, isAtCommand, isDue, requireProgress } from "./progress.js";

const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_PARKED: PARKED } = OperationState;

describe("whose progress it is", () => {
  const standing = { id: "o1", state: "parked", current_step: "build-guest", fence: 7 };
  const told = { commandId: "o1/build-guest/2", fence: 7n };

  it("is that of the step where the operation is, under its fence", () => {
    assert.equal(isAtCommand(standing, told), true);
    assert.equal(
      isAtCommand({ ...standing, state: "running", current_step: "" }, told),
      true,
      "the first step",
    );
  });

  it("comes from the host that the step has named last, else from the operation's own", () => {
    const steps = [
      { name: "one", host: "h1" },
      { name: "two", host: "h2" },
      { name: "two", host: "h3" },
      { name: "three", host: "" },
    ];
    const at = (step: string): string => commandHost(steps, step, "own");
    assert.deepEqual(["one", "two", "three", "four", ""].map(at), ["h1", "h3", "own", "own", "own"]);
  });

  it("is nobody's otherwise", () => {
    for (const state of ["undoing", "succeeded", "failed", "cancelled", "preempted", "needs-operator"])
      assert.equal(isAtCommand({ ...standing, state }, told), false, state);
    for (const fence of [6n, 8n]) assert.equal(isAtCommand(standing, { ...told, fence }), false);
    for (const commandId of ["o2/build-guest/2", "o1/build-guest", "o1/claim-host/0", "", "o1"])
      assert.equal(isAtCommand(standing, { ...told, commandId }), false, commandId);
  });
});

describe("figures of progress", () => {
  const progress = OperationProgress.fromPartial({
    percent: 50,
    phase: "image_download",
    done: 1n,
    total: 2n,
  });

  it("are figures and a short name: nothing else reaches an owner", () => {
    assert.equal(requireProgress(progress), progress);
    for (const over of [
      { phase: "" },
      { phase: "from /var/lib" },
      { phase: "x".repeat(65) },
      { percent: 101 },
      { done: 3n },
    ])
      assert.throws(() => requireProgress({ ...progress, ...over }), { reason: "INVALID_ARGUMENT" });
    assert.throws(() => requireProgress(undefined), { reason: "INVALID_ARGUMENT" });
    requireProgress({ ...progress, done: 3n, total: 0n });
  });

  it("are kept a second apart, and at once when a clock was ahead", () => {
    const stored = { ...progress, updatedAt: toTimestamp(10_000_000n) };
    assert.deepEqual(
      [undefined, stored, stored, stored].map((one, at) =>
        isDue(one, [10_000_000n, 10_999_999n, 11_000_000n, 9_000_000n][at] ?? 0n),
      ),
      [true, false, true, true],
    );
  });

  it("count until a commit leaves the step", () => {
    assert.equal(goesOnAt("build", { state: PARKED, currentStep: "build" }), true);
    assert.equal(goesOnAt("", { state: PARKED, currentStep: "build" }), true);
    assert.equal(goesOnAt("build", { state: RUNNING, currentStep: "next" }), false);
    for (const state of [
      OperationState.OPERATION_STATE_UNDOING,
      OperationState.OPERATION_STATE_SUCCEEDED,
      OperationState.OPERATION_STATE_NEEDS_OPERATOR,
    ])
      assert.equal(goesOnAt("build", { state, currentStep: "build" }), false);
  });
});
