import { fuzz } from "./bad-input/fuzz/fuzz.js";
import { restTable } from "./bad-input/rest-table.js";
import { Stage } from "./bad-input/stage.js";
import { grpcTable } from "./bad-input/grpc-table.js";
import { wireTable } from "./bad-input/wire-table.js";

/**
 * What a whole cloud makes of requests that nobody should send. docs/contributor/bad-input.md tells how the
 * tables and the fuzzer work.
 */
describe("bad input", function () {
  this.timeout(600_000);
  const stage = new Stage(14_000);

  before(() => stage.open());
  after(() => stage.close());

  describe("over REST", () => restTable(stage));
  describe("over gRPC", () => grpcTable(stage));
  describe("on the wire", () => wireTable(stage));
  describe("of chance", () => fuzz(stage));
});
