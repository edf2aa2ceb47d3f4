import assert from "node:assert/strict";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { CommitStepRequest, StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { OperationCatalogue } from "../../../model/operation-catalogue.js";
import { anyOperation, theServer } from "../../../model/operation-declaration.js";
import { aDeclaration } from "../../../model/testing/a-declaration.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { NO_ROWS } from "../../servers/domain/plan-change.js";
import { serverOf } from "../../servers/domain/records.js";
import { ACCEPTED_AT, anOperation } from "../../testing/an-operation.js";
import { aServer } from "../../testing/records.js";
import { afterCommit, answerOf, endedQuota, passesTurn } from "./after-commit.js";
import type { CommitFacts } from "./after-commit.js";
import { toStored } from "./operation-rows.js";
import type { OperationRow } from "./rows.js";

const {
  OPERATION_STATE_RUNNING: RUNNING,
  OPERATION_STATE_PARKED: PARKED,
  OPERATION_STATE_UNDOING: UNDOING,
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR,
} = OperationState;

const NOW = ACCEPTED_AT + 5n;
const NAME = "operations/s/o";
const kinds = new OperationCatalogue([
  anyOperation(aDeclaration("test.kind", { result: theServer })),
  anyOperation(aDeclaration("test.grow", { quota: () => ({ instances: 1, cores: 1, ram: 64 }) })),
]);
const record = InstanceRecord.fromPartial({
  server: aServer({ id: "s", generation: 4n, currentOperation: NAME, taskState: "working" }),
});
const owned = { owner: "c1", ready_at: 99n, fence: 2, secrets: Buffer.from("sealed") };

type Commit = Parameters<typeof CommitStepRequest.fromPartial>[0];
const asked = (wish: Commit) => CommitStepRequest.fromPartial({ name: NAME, state: RUNNING, ...wish });

function committed(
  wish: Commit,
  row: Partial<OperationRow> = {},
  facts: Partial<CommitFacts> = {},
  before: InstanceRecord | undefined = record,
) {
  return afterCommit(kinds, { row: anOperation({ ...owned, ...row }), before, owner: NAME }, asked(wish), {
    waiting: [],
    known: NO_ROWS,
    numbers: [],
    now: NOW,
    newId: () => "new",
    ...facts,
  });
}

describe("an operation after a commit", () => {
  it("stays its owner's while that goes on, and the server as it is", () => {
    const { next, changed, record: after, failed } = committed({ currentStep: "one" });
    assert.deepEqual(
      [next.state, next.owner, next.ready_at, next.secrets, next.generation, next.updated_at],
      ["running", "c1", 99n, owned.secrets, 2, NOW],
    );
    assert.deepEqual([changed, after, failed], [undefined, record, false]);
  });

  it("has no owner, no timer and no secrets once it has ended", () => {
    for (const state of [SUCCEEDED, FAILED]) {
      const { next, failed } = committed({ state });
      assert.deepEqual([next.owner, next.ready_at, next.secrets], ["", null, null]);
      assert.equal(failed, state === FAILED);
    }
  });

  it("keeps its secrets for the operator, and shows as failed", () => {
    const { next, failed } = committed({ state: NEEDS_OPERATOR, waitingFor: "undoing" });
    assert.deepEqual(
      [next.secrets, next.waiting_for, next.ready_at, failed],
      [owned.secrets, "undoing", null, true],
    );
  });

  it("replaces steps of the same name and round, and puts new ones last", () => {
    const steps = encoded(
      StoredSteps,
      StoredSteps.fromPartial({
        steps: [
          { name: "a", state: "running", attempts: 2 },
          { name: "b", state: "done" },
        ],
      }),
    );
    const changed = [
      { name: "c", state: "running" },
      { name: "a", state: "done", attempts: 3 },
      { name: "b", state: "running", round: 1 },
    ];
    assert.deepEqual(
      toStored(committed({ steps: changed }, { steps }).next).steps.map(
        ({ name, state, round, attempts }) => [name, state, round, attempts],
      ),
      [
        ["a", "done", 0, 3],
        ["b", "done", 0, 0],
        ["c", "running", 0, 0],
        ["b", "running", 1, 0],
      ],
    );
  });

  it("keeps its deadline unless it is told another", () => {
    assert.equal(committed({}, { deadline: 7n }).next.deadline, 7n);
    assert.equal(committed({ deadline: toTimestamp(8n) }, { deadline: 7n }).next.deadline, 8n);
  });
});

describe("when somebody may take an operation that was released", () => {
  const wakeAt = toTimestamp(NOW + 100n);
  const signal = { id: "1", kind: "report", payload: Buffer.alloc(0) };
  const parked = { state: PARKED, release: true, waitingFor: "report" };
  for (const [what, wish, row, waiting, at] of [
    ["at once", { release: true }, {}, [], NOW],
    ["at its timer", { release: true, wakeAt }, {}, [], NOW + 100n],
    ["never while it is parked", parked, {}, [], null],
    ["at the timer of its parking", { ...parked, wakeAt }, {}, [], NOW + 100n],
    ["at once when its signal has come", { ...parked, wakeAt }, {}, [signal], NOW],
    ["not for another signal", parked, {}, [{ ...signal, kind: "other" }], null],
    ["at once when it is to cancel", parked, { cancel_requested: true }, [], NOW],
  ] as const)
    it(`is ${what}`, () => {
      const { next } = committed(wish, row, { waiting });
      assert.deepEqual([next.ready_at, next.owner], [at, ""]);
    });
});

describe("the server after a commit", () => {
  it("is free once its operation has ended, also without a change", () => {
    const { changed } = committed({ state: SUCCEEDED });
    const server = serverOf(changed?.record ?? assert.fail("no change"));
    assert.deepEqual([server.currentOperation, server.generation], ["", 5n]);
  });

  it("stays the other's whose lane is life", () => {
    const change = { server: { name: "renamed" }, updateMask: ["name"] };
    const { changed } = committed({ change, state: SUCCEEDED }, { lane: "volumes" });
    const server = serverOf(changed?.record ?? assert.fail("no change"));
    assert.deepEqual([server.name, server.currentOperation], ["renamed", NAME]);
    assert.equal(committed({ state: SUCCEEDED }, { lane: "volumes" }).changed, undefined);
  });

  it("is not changed by what may not", () => {
    const change = { server: { taskState: "x" }, updateMask: ["task_state"] };
    const facts = { waiting: [], known: NO_ROWS, numbers: [], now: NOW, newId: () => "new" };
    for (const [row, before] of [
      [{ lane: "volumes" }, record],
      [{ subject: "host", lane: "images" }, undefined],
    ] as const)
      assert.throws(
        () => afterCommit(kinds, { row: anOperation(row), before, owner: "" }, asked({ change }), facts),
        { reason: "INVALID_ARGUMENT" },
      );
  });
});

describe("what a commit leads to", () => {
  it("is a result of what has succeeded, of the server as it leaves it", () => {
    assert.deepEqual(toStored(committed({ state: SUCCEEDED }).next).result?.outcome, {
      $case: "server",
      value: { id: "s", generation: 5n },
    });
    assert.equal(toStored(committed({ state: FAILED }).next).result, undefined);
  });

  it("is an answer with the record only for who goes on with an older one", () => {
    const answered = (wish: Commit): boolean => {
      const after = committed(wish);
      return answerOf(after, asked(wish), [], false).instance !== undefined;
    };
    assert.equal(answered({ instanceGeneration: 0n }), true, "never told");
    assert.equal(answered({ instanceGeneration: 4n }), false, "the same");
    assert.equal(answered({ instanceGeneration: 3n }), true, "an older one");
    assert.equal(answered({ instanceGeneration: 3n, release: true }), false, "gives it back");
    assert.equal(answered({ instanceGeneration: 4n, state: SUCCEEDED }), false, "has ended");
  });

  it("is the next one's turn at the end in a lane beside life", () => {
    const passes = (lane: string, state: OperationState, input = ""): boolean =>
      passesTurn(kinds, anOperation({ lane, kind: "test.kind", input: Buffer.from(input) }), state);
    assert.equal(passes("volumes", FAILED), true);
    assert.equal(passes("volumes", UNDOING), false);
    assert.equal(passes("life", FAILED), false);
  });

  it("is the turn of those that had to wait at the end of one that was alone, halted as well", () => {
    const alone = { lane: "life", kind: "test.kind", input: Buffer.from("alone") };
    assert.deepEqual(
      [FAILED, NEEDS_OPERATOR, PARKED].map((state) => passesTurn(kinds, alone, state)),
      [true, true, false],
    );
    assert.equal(passesTurn(kinds, { ...alone, kind: "test.unknown" }, FAILED), true);
  });

  it("is settled quota at the end of what may take some", () => {
    const grows = { id: "o", kind: "test.grow" };
    assert.deepEqual(endedQuota(kinds, grows, SUCCEEDED), { operationId: "o", well: true });
    assert.deepEqual(endedQuota(kinds, grows, FAILED), { operationId: "o", well: false });
    assert.equal(endedQuota(kinds, grows, NEEDS_OPERATOR), undefined);
    assert.equal(endedQuota(kinds, { id: "o", kind: "test.kind" }, FAILED), undefined);
  });
});
