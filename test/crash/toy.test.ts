import assert from "node:assert/strict";
import { pointsOf, runMatrix, undoPointsOf } from "./matrix.js";
import { Ledger, toyLedger } from "./toy.ledger.js";
import { toyScenario } from "./toy-scenario.js";

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
