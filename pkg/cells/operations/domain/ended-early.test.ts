import assert from "node:assert/strict";
import { HeldQuota } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { CellsErrors } from "../../errors.js";
import { ACCEPTED_AT, anOperation } from "../../testing/an-operation.js";
import { aServer } from "../../testing/records.js";
import { allPreempted, begun, endedWaiting, isGivenUp } from "./ended-early.js";
import { toStored } from "./operation-rows.js";

const NOW = ACCEPTED_AT + 5n;
const secrets = Buffer.from("sealed");

describe("an operation that ends otherwise than by its own commit", () => {
  it("stays its owner's when it is pre-empted, and is at rest without one", () => {
    const owned = anOperation({ id: "a", owner: "c1", ready_at: 9n, secrets });
    const free = anOperation({ id: "b", secrets });
    const [first, second] = allPreempted({ victim: owned, others: [free] }, "operations/s/heir", NOW);
    assert.deepEqual([first?.state, first?.owner, first?.ready_at], ["preempted", "c1", 9n]);
    assert.deepEqual([second?.state, second?.ready_at], ["preempted", null]);
    for (const row of [first, second]) {
      assert.deepEqual([row?.secrets, row?.generation, row?.updated_at], [null, 2, NOW]);
      assert.equal(row && toStored(row).successor, "operations/s/heir");
    }
    assert.deepEqual(allPreempted({ victim: undefined, others: [] }, "operations/s/heir", NOW), []);
  });

  it("tells what its server held, when it led it; also one that waited for an operator", () => {
    const led = anOperation({ id: "a" });
    const beside = anOperation({ id: "b", lane: "volumes" });
    const halted = anOperation({ id: "c", state: "needs-operator" });
    const place = { victim: led, others: [beside], halted: [halted] };
    const held = { instances: 1, cores: 1, memoryMib: 512 };
    const ended = allPreempted(place, "operations/s/heir", NOW, aServer({ id: "s" })).map((row) =>
      toStored(row),
    );
    assert.deepEqual(
      ended.map((one) => one.held),
      [held, undefined, held].map((one) => one && HeldQuota.fromPartial(one)),
    );
    assert.ok(ended.every(({ successor }) => successor === "operations/s/heir"));
    const [ofNoServer] = allPreempted(place, "operations/cloud/heir", NOW);
    assert.equal(ofNoServer && toStored(ofNoServer).held, undefined);
  });

  it("tells why it never began", () => {
    const refusal = CellsErrors.NOT_READY({ server: "s" });
    const row = endedWaiting(anOperation({ turn: 3, ready_at: null, secrets }), "failed", refusal, NOW);
    assert.deepEqual([row.state, row.secrets, row.ready_at, row.generation], ["failed", null, null, 2]);
    const { error } = toStored(row);
    assert.deepEqual([error?.reason, error?.facts.get("server")], ["NOT_READY", "s"]);
  });

  it("ends for refusals, not for trouble", () => {
    assert.equal(isGivenUp(CellsErrors.NOT_READY({ server: "s" })), true);
    assert.equal(isGivenUp(CommonErrors.CANCELLED({ what: "it" })), false);
    assert.equal(isGivenUp(new Error("x")), false);
  });

  it("is ready once its turn has come", () => {
    const row = begun(anOperation({ turn: 3, ready_at: null }), NOW);
    assert.deepEqual([row.turn, row.ready_at, row.generation, row.updated_at], [0, NOW, 2, NOW]);
  });
});
