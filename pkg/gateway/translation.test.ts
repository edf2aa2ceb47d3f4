import assert from "node:assert/strict";
import { NovaAddressesServiceDefinition } from "../../gen/kilonova/compat/v1/nova_addresses_service.js";
import { NovaListsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_lists_service.js";
import { NovaSecurityGroupsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_security_groups_service.js";
import { publicContract } from "../api/contract.gen.js";
import { allOperations } from "./resources/index.js";
import { startTestGateway } from "./testing/test-gateway.js";
import type { TestGateway } from "./testing/test-gateway.js";
import { translations } from "./testing/translations/index.gen.js";
import { withoutCall } from "./testing/translations/translation.js";
import { FragmentCache } from "./view/fragments.js";

/** The request type of a method, whichever service has it. */
function requestType(method: string): { fromPartial(init: object): object } {
  const [room, name = ""] = method.includes(".") ? method.split(".") : ["", method];
  const compat = [
    NovaListsServiceDefinition,
    NovaAddressesServiceDefinition,
    NovaSecurityGroupsServiceDefinition,
  ];
  const searched = room === "" ? publicContract : compat;
  for (const { methods } of searched) {
    const found = (methods as Record<string, { requestType: { fromPartial(init: object): object } }>)[name];
    if (found !== undefined) return found.requestType;
  }
  throw new Error(`no method ${method}`);
}

describe("what REST requests become", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({});
  });
  after(() => gateway.close());

  for (const [route, path, ask, method, request] of translations)
    it(`${route}: ${ask.body === undefined ? path : JSON.stringify(ask.body)} is ${method}`, async () => {
      gateway.calls.length = 0;
      const { status, text } = await gateway.ask(`/v2.1${path}`, ask);
      const [call] = gateway.calls;
      assert.ok(call, `no call, but ${status} ${text}`);
      assert.equal(call.method, method);
      assert.deepEqual(call.request, requestType(method).fromPartial(request));
    });

  it("is told here for every route that is served", () => {
    const served = allOperations({} as Parameters<typeof allOperations>[0], new FragmentCache(0)).map(
      ({ route }) => route,
    );
    const told = new Set([...translations.map(([route]) => route), ...withoutCall]);
    assert.deepEqual(
      served.filter((route) => !told.has(route)),
      [],
    );
  });
});
