import { dieAtEachStatement } from "./hand-over-matrix.js";
import { GOING } from "./toy.moves.js";

describe("a move from cell to cell", function () {
  this.timeout(600_000);
  it("ends as the undisturbed one, whichever statement the process is killed at", async () => {
    await dieAtEachStatement(GOING.move.kind, [
      "cell2 handover.prepare",
      "cell1 handover.promise",
      "global handover.swap",
      "cell2 handover.carry",
      "cell2 handover.activate",
      "cell1 handover.leave",
      "cell1 handover.leave",
      "cell2 handover.drop",
    ]);
  });
});
