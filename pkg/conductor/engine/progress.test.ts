import assert from "node:assert/strict";
import type { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { aDeclaration } from "../../model/testing/a-declaration.js";
import { backoffMs } from "./backoff.js";
import { toInstanceChange, withTaskState } from "./change.js";
import { defineKind, done } from "./kind.js";
import type { Step } from "./kind.js";
import { recordOf, toUndo, withRecords } from "./progress.js";
import { Registry, isPastPivot } from "./registry.js";

const step = (name: string): Step => ({ name, event: "", timeoutMs: 1, run: async () => done() });
const [a, b, c] = [step("a"), step("b"), step("c")];
const declaration = aDeclaration("k", { pivot: "c", versions: [1, 2] });
const failed = () => ({});
const kind = defineKind(declaration, { steps: [a, b, c], failed });
const record = (name: string, state: string, round = 0): StepRecord => ({
  ...recordOf([], step(name), 0n),
  state,
  round,
});

describe("progress of an operation", () => {
  it("is undone from the failed step back, skipping what was undone or never started", () => {
    assert.deepEqual(
      toUndo(kind, [record("a", "done"), record("b", "failed")], "b", "").map(({ name }) => name),
      ["b", "a"],
    );
    assert.deepEqual(
      toUndo(kind, [record("a", "done"), record("b", "undone")], "b", "").map(({ name }) => name),
      ["a"],
    );
    assert.deepEqual(
      toUndo(kind, [record("a", "done"), record("b", "done"), record("c", "failed")], "c", "b").map(
        ({ name }) => name,
      ),
      ["c", "b"],
    );
  });
  it("begins a new round after an undo, with effects of its own", () =>
    assert.equal(recordOf([record("a", "undone", 0)], a, 0n).round, 1));
  it("keeps a round over restarts", () =>
    assert.equal(recordOf([record("a", "running", 2)], a, 0n).round, 2));
  it("keeps the rounds before", () =>
    assert.deepEqual(
      withRecords([record("a", "undone", 0)], [record("a", "done", 1)]).map(({ round }) => round),
      [0, 1],
    ));
  it("has only forward from its pivot on", () =>
    assert.deepEqual(
      [0, 1, 2].map((index) => isPastPivot(kind, index)),
      [false, false, true],
    ));
  it("is refused when two steps have one name, the pivot is none, or nobody declares the version", () => {
    assert.throws(() => defineKind(declaration, { steps: [a, a, c], failed }), /two steps of one name/);
    assert.throws(() => defineKind(declaration, { steps: [a, b], failed }), /no step c/);
    assert.throws(() => defineKind(declaration, { version: 3, steps: [a, c], failed }), /not declared/);
  });
  it("is refused when a step needs of the host what its declaration does not ask of it", () => {
    const able = { ...declaration, capability: "fold" };
    const folding = { ...a, needs: "fold" };
    defineKind(able, { steps: [folding, b, c], failed });
    for (const one of [declaration, { ...able, capability: "bend" }])
      assert.throws(
        () => defineKind(one, { steps: [folding, b, c], failed }),
        /does not ask the host for fold, which a needs/,
      );
  });
  it("has steps of its own in each version, and nothing is taken for another version", () => {
    const old = defineKind(declaration, { version: 1, steps: [c], failed });
    const registry = new Registry([kind, old]);
    assert.deepEqual([registry.get("k", 1).steps, registry.get("k", 2).steps], [[c], [a, b, c]]);
    assert.deepEqual(registry.accepted, [
      { kind: "k", version: 2 },
      { kind: "k", version: 1 },
    ]);
    assert.throws(() => registry.get("k", 3), { reason: "UNKNOWN_KIND" });
    assert.throws(() => new Registry([kind, kind]), /twice/);
  });
});

describe("changes", () => {
  it("name exactly the fields that were set, cleared ones included", () => {
    const change = toInstanceChange(
      withTaskState({ set: { launchedAt: undefined, hostInfo: undefined } }, ""),
    );
    assert.deepEqual(change?.updateMask, ["launched_at", "host_info", "task_state"]);
    assert.equal(toInstanceChange(withTaskState(undefined, undefined)), undefined);
  });
});

describe("backoffMs", () => {
  it("doubles up to a bound, with jitter of half", () => {
    assert.deepEqual(
      [0, 1, 5, 40].map((attempt) => backoffMs(attempt, () => 1)),
      [100, 200, 3_200, 15_000],
    );
    assert.equal(
      backoffMs(0, () => 0),
      50,
    );
  });
});
