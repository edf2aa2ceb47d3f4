import assert from "node:assert/strict";
import { StepRecord, StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationError } from "../../../../gen/kilonova/type/v1/operation.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { ACCEPTED_AT, anOperation } from "../../testing/an-operation.js";
import { cutEvent, stepEvents } from "./timeline-rows.js";

const NOW = ACCEPTED_AT + 5n;
const step = (name: string, init: Parameters<typeof StepRecord.fromPartial>[0] = {}) =>
  StepRecord.fromPartial({ name, state: "done", event: `event_${name}`, ...init });

describe("what a timeline shows of steps", () => {
  const all = [step("a"), step("b"), step("b", { round: 1 })];
  const operation = anOperation({ steps: encoded(StoredSteps, { steps: all }) });

  it("is one event for each changed step that has a name there, at its place among all", () => {
    const quiet = step("c", { event: "" });
    const events = stepEvents(operation, [step("b", { round: 1 }), quiet, step("a")], NOW);
    assert.deepEqual(
      events.map(({ event, round, position }) => [event, round, position]),
      [
        ["event_b", 1, 2],
        ["event_a", 0, 0],
      ],
    );
    assert.deepEqual(stepEvents(operation, [quiet], NOW), []);
  });

  it("begins now when the step does not say when", () => {
    const [told, untold] = stepEvents(operation, [step("a", { startedAt: toTimestamp(7n) }), step("b")], NOW);
    assert.deepEqual([told?.started_at, untold?.started_at], [7n, NOW]);
    assert.equal(untold?.finished_at, null);
  });

  for (const [state, errorReason, result] of [
    ["running", "", ""],
    ["running", "LOST", ""],
    ["done", "", "Success"],
    ["done", "LATE", "Success"],
    ["undone", "", "Success"],
    ["undone", "BROKEN", "Error"],
    ["failed", "", "Error"],
  ] as const)
    it(`is "${result}" when it is ${state}${errorReason === "" ? "" : ` with ${errorReason}`}`, () =>
      assert.equal(stepEvents(operation, [step("a", { state, errorReason })], NOW)[0]?.result, result));

  it("ends with the error of an operation that was cut short, if it has one", () => {
    const why = OperationError.fromPartial({ reason: "ABANDONED", message: "No way." });
    const failed = anOperation({ state: "failed", error: encoded(OperationError, why) });
    const end = { finished_at: NOW, result: "Error" };
    assert.deepEqual(cutEvent(failed, NOW), { ...end, details: "No way.", traceback: "ABANDONED" });
    const preempted = anOperation({ state: "preempted" });
    assert.deepEqual(cutEvent(preempted, NOW), { ...end, details: "", traceback: "" });
  });
});
