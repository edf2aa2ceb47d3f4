import assert from "node:assert/strict";
import type { Route, RouteRule } from "../../pkg/gateway-placement/call.js";
import { MAX_MINOR } from "../../pkg/gateway-placement/microversion.js";
import { routes } from "../../pkg/gateway-placement/routes/index.js";
import { KNOWN, aGateway } from "../../pkg/gateway-placement/testing/a-gateway.js";
import type { TestGateway } from "../../pkg/gateway-placement/testing/a-gateway.js";
import type { Actor } from "../../pkg/kernel/index.js";
import { MASTER, caller, callers } from "./callers.js";

/** What stands for the parameters of paths. What is asked about belongs to p1. */
const PARAMS: Readonly<Record<string, string>> = {
  uuid: KNOWN,
  consumer: "33333333-3333-4333-8333-333333333333",
  rc: "VCPU",
  name: "CUSTOM_T",
};
const QUERIES: Readonly<Record<string, string>> = {
  "/usages": "?project_id=p1",
  "/allocation_candidates": "?resources=VCPU:1",
};

const held = {
  allocations: { [KNOWN]: { resources: { VCPU: 1 } } },
  project_id: "p1",
  user_id: "u1",
  consumer_generation: null,
  consumer_type: "INSTANCE",
};
const inventory = { total: 1, resource_provider_generation: 0 };
const inventories = { resource_provider_generation: 0, inventories: { VCPU: { total: 1 } } };
/** Bodies that succeed at the newest version of their route. A new route with a body needs one here. */
const BODIES: Readonly<Record<string, unknown>> = {
  "POST /resource_providers": { name: "p" },
  "PUT /resource_providers/:uuid": { name: "p" },
  "PUT /resource_providers/:uuid/inventories": inventories,
  "POST /resource_providers/:uuid/inventories": { ...inventory, resource_class: "VCPU" },
  "PUT /resource_providers/:uuid/inventories/:rc": inventory,
  "PUT /resource_providers/:uuid/traits": { traits: [], resource_provider_generation: 0 },
  "PUT /resource_providers/:uuid/aggregates": { aggregates: [], resource_provider_generation: 0 },
  "PUT /allocations/:consumer": held,
  "POST /allocations": { [PARAMS["consumer"] ?? ""]: held },
  "POST /reshaper": { inventories: { [KNOWN]: inventories }, allocations: {} },
  "POST /resource_classes": { name: "CUSTOM_C" },
  "PUT /resource_classes/:name": { name: "CUSTOM_C" },
};

/** Routes that do not have the usual rule, administrators and services. @source placement-api §1 */
const UNUSUAL: Readonly<Record<string, RouteRule>> = {
  "GET /": "anyone",
  "GET /usages": "project-reader",
  "POST /reshaper": "service",
};

/** Which roles a rule lets pass, told apart from the code that enforces it. */
const PASS: Readonly<Record<RouteRule, (actor: Actor) => readonly string[]>> = {
  anyone: () => [],
  "admin-or-service": () => ["admin", "service"],
  "project-reader": ({ projectId }) => ["admin", "service", ...(projectId === "p1" ? ["reader"] : [])],
  service: () => ["service"],
};

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const urlOf = (path: string): string =>
  path.replaceAll(/:(\w+)/g, (_, name: string) => PARAMS[name] ?? "x") + (QUERIES[path] ?? "");
const methodsOf = ({ method }: Route): readonly string[] => (method === "GET" ? ["GET", "HEAD"] : [method]);

function mayPass(policy: RouteRule, actor: Actor): boolean {
  if (policy === "anyone") return true;
  const ofProject = actor.projectId !== "" && !actor.systemScope;
  return ofProject && PASS[policy](actor).some((role) => actor.roles.includes(role));
}

describe("policy of the Placement REST API", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await aGateway(callers);
  });
  after(() => gateway.close());

  /** What came of a call, and whether placement was asked. */
  const call = async (method: string, route: Route, token: string): Promise<readonly [string, boolean]> => {
    gateway.asked.length = 0;
    const body = BODIES[nameOf(route)] ?? {};
    const { status, text } = await gateway.call(method, urlOf(route.path), route.until ?? MAX_MINOR, {
      token,
      ...(["PUT", "POST"].includes(method) ? { body: JSON.stringify(body) } : {}),
    });
    const end = status < 300 ? "done" : status === 403 || status === 401 ? `${status}` : `${status}: ${text}`;
    return [end, gateway.asked.length > 0];
  };

  it("serves no path and no method that does not declare its rule", async () => {
    const served = gateway.app.router.stack.flatMap(({ route }) => (route === undefined ? [] : [route.path]));
    const paths = [...new Set(routes.map(({ path }) => path))];
    assert.deepEqual(served.sort(), paths.toSorted());
    for (const route of routes) assert.ok(route.policy in PASS, `${nameOf(route)} declares no rule`);
    for (const path of paths)
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"])
        if (!routes.some((route) => route.path === path && route.method === method)) {
          const { status } = await gateway.call(method, urlOf(path), MAX_MINOR, { token: MASTER });
          assert.equal(status, 405, `${method} ${path}`);
        }
  });

  it("declares what Placement asks there", () => {
    for (const route of routes)
      assert.equal(route.policy, UNUSUAL[nameOf(route)] ?? "admin-or-service", nameOf(route));
  });

  it("wants a valid token wherever the rule is not for everybody", async () => {
    for (const route of routes)
      for (const method of methodsOf(route))
        for (const token of ["", "unknown"]) {
          const expected = route.policy === "anyone" ? ["done", false] : ["401", false];
          assert.deepEqual(await call(method, route, token), expected, `${method} ${route.path} "${token}"`);
        }
  });

  for (const callerName of Object.keys(callers))
    it(`lets ${callerName} do what the routes declare, and nothing else`, async () => {
      for (const route of routes)
        for (const method of methodsOf(route)) {
          const passes = mayPass(route.policy, caller(callerName));
          const expected = [passes ? "done" : "403", passes && route.policy !== "anyone"];
          assert.deepEqual(await call(method, route, callerName), expected, `${method} ${route.path}`);
        }
    });
});
