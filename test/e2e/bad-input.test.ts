import { restTable } from "./bad-input/rest-table.js";
import { Stage } from "./bad-input/stage.js";

/** What a whole cloud makes of requests that nobody should send. docs/contributor/bad-input.md tells how the tables and the fuzzer work. */
describe("bad input", function () {
  this.timeout(600_000);
  const stage = new Stage();

  before(() => stage.open());
  after(() => stage.close());

  describe("over REST", () => restTable(stage));
});
