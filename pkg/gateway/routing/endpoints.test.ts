import assert from "node:assert/strict";
import { someRequest } from "../testing/requests.js";
import { withAliases } from "./aliases.js";
import { bodyLimitOf } from "./body-limits.js";
import { Endpoints } from "./endpoints.js";
import type { Operation } from "./endpoints.js";
import { parseRoutes, successOf } from "./routes.js";
import { routeTable } from "./table.js";

const serve = (route: string): Operation => ({ route, handle: async () => ({ json: route }) });

describe("gateway: routes", () => {
  const routes = parseRoutes(routeTable);

  it("has every route of the API once", () => {
    assert.equal(routes.length, 265);
    assert.equal(new Set(routes.map(({ key }) => key)).size, 265);
    assert.equal(routes.filter(({ kind }) => kind === "gone").length, 53);
    assert.equal(routes.filter(({ action }) => action !== "").length, 64);
  });

  it("knows success codes by version", () => {
    const route = routes.find(({ key }) => key === "POST /os-keypairs");
    assert.ok(route);
    assert.deepEqual([successOf(route, 1), successOf(route, 2), successOf(route, 104)], [200, 201, 201]);
  });

  it("finds literals before parameters, and falls back to parameters", async () => {
    const endpoints = new Endpoints([
      serve("GET /servers/detail"),
      serve("GET /servers/{id}"),
      serve("GET /os-hypervisors/{id}/servers"),
    ]);
    const find = async (path: string): Promise<string | undefined> => {
      const found = endpoints.find(path.split("/").slice(1), "GET");
      if (found?.target.kind !== "plain") return undefined;
      return `${String((await found.target.endpoint.handle(someRequest({}))).json)} [${found.parameters.join()}]`;
    };
    assert.equal(await find("/servers/detail"), "GET /servers/detail []");
    assert.equal(await find("/servers/x"), "GET /servers/{id} [x]");
    // A literal on the way that leads nowhere.
    assert.equal(await find("/os-hypervisors/detail/servers"), "GET /os-hypervisors/{id}/servers [detail]");
    assert.equal(await find("/servers/"), undefined);
    assert.equal(await find("/servers/x/y/z"), undefined);
    assert.equal(await find("/__proto__"), undefined);
  });

  it("has routes that Nova does not have where they are declared as ours, in every microversion", async () => {
    const ours: Operation = { ...serve("POST /servers/{id}/action#fold"), ours: true };
    const endpoints = new Endpoints([ours, serve("POST /servers/{id}/action#pause")]);
    const target = endpoints.find(["servers", "x", "action"], "POST")?.target;
    assert.ok(target?.kind === "action");
    const found = target.actions.get("fold");
    assert.ok(found !== undefined && target.actions.has("suspend"));
    assert.deepEqual(await found.handle(someRequest({})), { json: ours.route });
    assert.deepEqual([found.route.span, successOf(found.route, 104)], [{ min: 1, max: Infinity }, 202]);
    const pause: Operation = { ...serve("POST /servers/{id}/action#pause"), ours: true };
    assert.throws(() => new Endpoints([pause]), /#pause is Nova's/);
  });

  it("serves what has an alias under that too, as far as the table goes", () => {
    const routes = withAliases(
      ["GET /servers", "GET /servers/{id}/ips", "POST /servers/{id}/action#rebuild", "GET /flavors"].map(
        (route) => serve(route),
      ),
    ).map(({ route }) => route);
    assert.deepEqual(routes, [
      ...["GET /servers", "GET /os-volumes_boot", "GET /servers/{id}/ips"],
      ...["POST /servers/{id}/action#rebuild", "POST /os-volumes_boot/{id}/action#rebuild", "GET /flavors"],
    ]);
    assert.equal(bodyLimitOf("POST /os-volumes_boot"), Infinity);
    assert.equal(bodyLimitOf("PUT /os-volumes_boot/{id}"), bodyLimitOf("PUT /servers/{id}"));
  });

  it("refuses resources that bind to nothing, or twice", () => {
    assert.throws(() => new Endpoints([serve("GET /nonsense")]), /not in the route table/);
    assert.throws(() => new Endpoints([serve("GET /servers"), serve("GET /servers")]), /served twice/);
  });
});
