import assert from "node:assert/strict";
import { rootCtx } from "../../kernel/index.js";
import { carrierOf } from "./carrier.js";

describe("what travels beside a request", () => {
  it("is a user's token to services that are called for users, and to no other", () => {
    const ctx = rootCtx({ requestId: "req-1", userToken: "secret" });
    assert.equal(carrierOf(ctx, "kilonova.api.v1.ServersService").userToken, "secret");
    for (const service of ["kilonova.cells.v1.InstancesService", "kilonova.compute.v1.AgentService"])
      assert.ok(!JSON.stringify({ ...carrierOf(ctx, service), parent: "" }).includes("secret"), service);
    assert.ok(!("userToken" in carrierOf(rootCtx({ requestId: "req-2" }), "kilonova.api.v1.ServersService")));
  });
});
