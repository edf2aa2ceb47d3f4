import assert from "node:assert/strict";
import { StoredOperation, StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { anyOperation, theServer } from "../../../model/operation-declaration.js";
import { aDeclaration } from "../../../model/testing/a-declaration.js";
import { encoded } from "../../domain/bytes.js";
import { ACCEPTED_AT, anOperation } from "../../testing/an-operation.js";
import { aServer } from "../../testing/records.js";
import { AT_ONCE } from "./lanes.js";
import type { LanePlace } from "./lanes.js";
import { doneAtOnce, newOperation } from "./new-operation.js";
import { toStored } from "./operation-rows.js";

const declaration = anyOperation(
  aDeclaration("test.kind", {
    lane: "volumes",
    metadata: (reason) => ({ $case: "lockServer", value: { reason } }),
    result: theServer,
  }),
);
const fresh = (place: Partial<LanePlace> = {}) =>
  newOperation(
    {
      id: "o",
      subject: { kind: "server", id: "s" },
      projectId: "project",
      declaration,
      request: {
        kind: "test.kind",
        kindVersion: 1,
        actor: undefined,
        traceparent: "trace",
        input: Buffer.from("why"),
      },
      requestId: "req-1",
      secrets: Buffer.from("sealed"),
      place: { ...AT_ONCE, ...place },
    },
    ACCEPTED_AT,
  );

describe("a new operation", () => {
  it("runs, is nobody's yet and ready at once", () => {
    const row = fresh();
    assert.deepEqual(
      [row.state, row.owner, row.fence, row.generation, row.lane, row.turn, row.ready_at],
      ["running", "", 0, 1, "volumes", 0, ACCEPTED_AT],
    );
    assert.deepEqual(
      [row.request_id, row.traceparent, row.secrets],
      ["req-1", "trace", Buffer.from("sealed")],
    );
    assert.deepEqual(toStored(row).metadata?.asked, { $case: "lockServer", value: { reason: "why" } });
  });

  it("is not ready while it waits for its turn", () =>
    assert.deepEqual([fresh({ turn: 3 }).turn, fresh({ turn: 3 }).ready_at], [3, null]));

  it("keeps of its victims what there is to clean up", () => {
    const done = StoredSteps.fromPartial({ steps: [{ name: "one", state: "done" }] });
    const steps = encoded(StoredSteps, done);
    const victim = anOperation({ id: "v", steps });
    const begun = anOperation({ id: "b", fence: 2 });
    const untouched = anOperation({ id: "u" });
    const row = fresh({ victim, others: [begun, untouched] });
    assert.equal(row.preempts, "operations/s/v");
    const kept = StoredOperation.decode(row.preempted ?? assert.fail("nothing"));
    assert.deepEqual(
      kept.steps.map(({ name }) => name),
      ["one"],
    );
    assert.deepEqual(
      kept.alsoPreempted.map(({ name }) => name),
      ["operations/s/b"],
    );
    assert.equal(fresh().preempted, null);
  });

  it("that is instant has succeeded, keeps no secrets and tells its result", () => {
    const done = doneAtOnce(fresh(), declaration, aServer({ id: "s", generation: 5n }));
    assert.deepEqual([done.state, done.ready_at, done.secrets], ["succeeded", null, null]);
    const { metadata, result } = toStored(done);
    assert.deepEqual(result?.outcome, { $case: "server", value: { id: "s", generation: 5n } });
    assert.notEqual(metadata, undefined);
  });
});
