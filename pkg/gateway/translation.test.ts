import assert from "node:assert/strict";
import { NovaAddressesServiceDefinition } from "../../gen/kilonova/compat/v1/nova_addresses_service.js";
import { NovaListsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_lists_service.js";
import { NovaSecurityGroupsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_security_groups_service.js";
import { publicContract } from "../api/contract.gen.js";
import { aliasesOf } from "./routing/aliases.js";
import { allOperations } from "./resources/index.js";
import { startTestGateway } from "./testing/test-gateway.js";
import type { TestGateway } from "./testing/test-gateway.js";
import { translations } from "./testing/translations/index.gen.js";
import { withoutCall } from "./testing/translations/translation.js";
import type { Translation } from "./testing/translations/translation.js";
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

/** The newest version in which the aliases are there. */
const LAST_OF_ALIASES = "2.102";

/** The same under other paths; bodies with fields that came later stay out. */
const aliased = translations.flatMap(([route, path, ask, ...rest]) =>
  aliasesOf(route).flatMap((alias): Translation[] => {
    const isLater = Number(ask.version?.slice(2) ?? 1) > Number(LAST_OF_ALIASES.slice(2));
    if (isLater && !route.includes("#")) return [];
    const asked = isLater ? { ...ask, version: LAST_OF_ALIASES } : ask;
    return [[alias, path.replace(/^\/servers/, "/os-volumes_boot"), asked, ...rest]];
  }),
);

describe("what REST requests become", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({});
  });
  after(() => gateway.close());

  for (const [route, path, ask, method, request] of [...translations, ...aliased])
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
    const told = new Set([...translations, ...aliased].map(([route]) => route).concat(withoutCall));
    assert.deepEqual(
      served.filter((route) => !told.has(route)),
      [],
    );
  });
});
