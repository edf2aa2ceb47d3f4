import assert from "node:assert/strict";
import {
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
} from "../../gen/kilonova/api/v1/hosts_service.js";
import { AggregatesServiceDefinition } from "../../gen/kilonova/api/v1/aggregates_service.js";
import { FlavorsServiceDefinition } from "../../gen/kilonova/api/v1/flavors_service.js";
import { KeyPairsServiceDefinition } from "../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  InstanceActionsServiceDefinition,
  LimitsServiceDefinition,
} from "../../gen/kilonova/api/v1/limits_service.js";
import { MigrationsServiceDefinition } from "../../gen/kilonova/api/v1/migrations_service.js";
import { ServerGroupsServiceDefinition } from "../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerMetadataServiceDefinition } from "../../gen/kilonova/api/v1/server_metadata_service.js";
import { ServerTagsServiceDefinition } from "../../gen/kilonova/api/v1/server_tags_service.js";
import { ServersServiceDefinition } from "../../gen/kilonova/api/v1/servers_service.js";
import { NovaListsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_lists_service.js";
import { allOperations } from "./resources/index.js";
import { startTestGateway } from "./testing/test-gateway.js";
import type { TestGateway } from "./testing/test-gateway.js";
import { translations, withoutCall } from "./testing/translations.js";
import { FragmentCache } from "./view/fragments.js";

const definitions = [
  ServersServiceDefinition,
  AggregatesServiceDefinition,
  ServerGroupsServiceDefinition,
  ServerMetadataServiceDefinition,
  ServerTagsServiceDefinition,
  FlavorsServiceDefinition,
  KeyPairsServiceDefinition,
  LimitsServiceDefinition,
  InstanceActionsServiceDefinition,
  MigrationsServiceDefinition,
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
];
/** The request type of a method, whichever service has it. */
function requestType(method: string): { fromPartial(init: object): object } {
  const [room, name = ""] = method.startsWith("lists.") ? method.split(".") : ["", method];
  const searched = room === "" ? definitions : [NovaListsServiceDefinition];
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
