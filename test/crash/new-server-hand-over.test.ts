import { dieAtEachStatement } from "./hand-over-matrix.js";
import { GOING } from "./toy.moves.js";

describe("a new server's way to its cell", function () {
  this.timeout(600_000);
  it("ends as the undisturbed one, whichever statement the process is killed at", async () => {
    await dieAtEachStatement(GOING.newServer.kind, [
      "cell1 handover.prepare",
      "global handover.commit",
      "cell1 handover.activate",
      "global handover.leave",
      "global handover.leave",
      "cell1 handover.drop",
    ]);
  });
});
