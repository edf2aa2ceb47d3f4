import assert from "node:assert/strict";
import type { ApiClients, ServersClient } from "../../ports.js";
import { Endpoints } from "../../routing/endpoints.js";
import { serverActionRoutes } from "./action-routes.js";

describe("gateway: actions on servers", () => {
  const servers = {} as ServersClient;
  const limits = {} as ApiClients["limits"];
  const actions = (method: object): ReadonlyMap<string, unknown> => {
    const routes = serverActionRoutes({ servers, limits }, [
      { methods: [{ name: "FoldServer", ...method }] },
    ]);
    const target = new Endpoints(routes).find(["servers", "x", "action"], "POST")?.target;
    assert.ok(target?.kind === "action");
    return target.actions;
  };

  it("have a route that is Nova's, or one that is declared as ours", () => {
    assert.ok(actions({ key: "fold", ours: true }).has("fold"));
    assert.throws(
      () => actions({ key: "fold" }),
      /not in the route table: POST \/servers\/\{id\}\/action#fold/,
    );
    assert.throws(() => actions({ key: "pause", ours: true }), /is Nova's/);
  });
});
