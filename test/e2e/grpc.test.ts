import { clientTokens } from "./grpc/client-tokens.js";
import { door } from "./grpc/door.js";
import { images } from "./grpc/images.js";
import { moves } from "./grpc/moves.js";
import { operations } from "./grpc/operations.js";
import { rights } from "./grpc/rights.js";
import { scheduling } from "./grpc/scheduling.js";
import { serverGroups } from "./grpc/server-groups.js";
import { Stage } from "./grpc/stage.js";
import { watches } from "./grpc/watches.js";

/** What a program sees that talks to the public gRPC port over HTTP/2, on hosts that only pretend. */
describe("a cloud over gRPC", function () {
  this.timeout(600_000);
  const stage = new Stage();

  before(() => stage.open());
  after(() => stage.close());

  describe("at its door", () => door(stage));
  describe("with client tokens", () => clientTokens(stage));
  describe("with operations", () => operations(stage));
  describe("with images of servers", () => images(stage));
  describe("with moves", () => moves(stage));
  describe("with server groups", () => serverGroups(stage));
  describe("with questions about scheduling", () => scheduling(stage));
  describe("with watches", () => watches(stage));
  describe("with rights that end", () => rights(stage));
});
