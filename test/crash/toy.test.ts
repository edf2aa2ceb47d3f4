import assert from "node:assert/strict";
import type { CrashAt } from "./protocol.js";
import { pointsOf, runMatrix, undoPointsOf } from "./matrix.js";
import { toyAttachments } from "./toy.attachments.js";
import { Ledger, toyLedger } from "./toy.ledger.js";
import { VOLUMES, toyScenario } from "./toy-scenario.js";
import { TOLD, toyFill, toySweep } from "./toy.subjects.js";

describe("crash matrix of the toy kind", function () {
  this.timeout(120_000);
  it("ends as the undisturbed run, wherever the process is killed", async () => {
    const kinds = [toyLedger(new Ledger("/dev/null"))];
    const tried = await runMatrix(toyScenario, pointsOf(kinds), false, () => {});
    assert.equal(
      tried,
      kinds.reduce((sum, { steps }) => sum + steps.length * 2, 0),
    );
  });

  it("is undone as undisturbed, wherever the process is killed", async () => {
    const points = undoPointsOf([toyLedger(new Ledger("/dev/null"))]).filter(({ step }) => step !== "third");
    assert.equal(await runMatrix(toyScenario, points, true, () => {}), 4);
  });
});

const everyTime = (points: readonly CrashAt[], times: number): CrashAt[] =>
  points.flatMap((point) => Array.from({ length: times }, (_, index) => ({ ...point, nth: index + 1 })));

describe("three operations at once of a host, and of the cloud", function () {
  this.timeout(600_000);
  const kinds = [toyFill(new Ledger("/dev/null")), toySweep(new Ledger("/dev/null"))];

  it("all end well and in turn, whichever commit the process is killed at", async () => {
    const points = everyTime(pointsOf(kinds), TOLD.length);
    assert.equal(await runMatrix(toyScenario, points, false, () => {}), 24);
  });

  it("let the others pass when one of them is undone, wherever the process is killed", async () => {
    assert.equal(await runMatrix(toyScenario, undoPointsOf(kinds), true, () => {}), 8);
  });
});

describe("ten attachments at once to one server, in a lane beside its life", function () {
  this.timeout(600_000);
  const kinds = [toyAttachments(new Ledger("/dev/null"))];

  it("all end well and in order, whichever commit the process is killed at", async () => {
    const points = everyTime(pointsOf(kinds), VOLUMES.length);
    assert.equal(points.length, 40);
    assert.equal(await runMatrix(toyScenario, points, false, () => {}), 40);
  });

  it("let the others pass when some of them are undone, wherever the process is killed", async () => {
    const points = everyTime(undoPointsOf(kinds), VOLUMES.length / 2);
    assert.equal(await runMatrix(toyScenario, points, true, () => {}), 20);
  });
});
