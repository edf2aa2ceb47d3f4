import { dieAtEachStatement, dieAtEachStep } from "./hand-over-matrix.js";
import { GOING } from "./toy.moves.js";

describe("a return to the cell that keeps a record", function () {
  this.timeout(600_000);
  it("ends as the undisturbed one, whichever statement the process is killed at", async () => {
    await dieAtEachStatement(GOING.return.kind, [
      "cell1 handover.prepare",
      "cell2 handover.promise",
      "global handover.swap",
      "cell1 handover.carry",
      "cell1 handover.activate",
      "cell2 handover.leave",
      "cell2 handover.leave",
      "cell1 handover.drop",
    ]);
  });

  it("may be the same operation's that moved the server, killed at each of its commits", async () => {
    await dieAtEachStep(GOING.thereAndBack.kind);
  });

  it("is given up once for all, killed before and after the record is forgotten", async () => {
    await dieAtEachStatement(GOING.confirm.kind, ["cell1 handover.forget-kept"]);
  });
});
