import assert from "node:assert/strict";
import { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";
import { KNOWN, aGateway } from "./testing/a-gateway.js";
import type { TestGateway } from "./testing/a-gateway.js";

const numbers = [
  "-1",
  "-2147483649",
  "2147483648",
  "4294967296",
  "9223372036854775808",
  "1" + "0".repeat(23),
];
const AT = `/resource_providers/${KNOWN}`;
const consumer = "33333333-3333-4333-8333-333333333333";
const owner = `"project_id": "p", "user_id": "u"`;

/** Requests with `N` wherever a whole number stands. */
const bodies: readonly (readonly [method: string, path: string, body: string, minor?: number])[] = [
  ["PUT", `${AT}/inventories`, `{"resource_provider_generation": N, "inventories": {"VCPU": {"total": 1}}}`],
  [
    "PUT",
    `${AT}/inventories`,
    `{"resource_provider_generation": 1, "inventories": {"VCPU": {"total": N, "max_unit": N, "reserved": N}}}`,
  ],
  ["POST", `${AT}/inventories`, `{"resource_provider_generation": N, "resource_class": "VCPU", "total": 1}`],
  ["PUT", `${AT}/inventories/VCPU`, `{"resource_provider_generation": N, "total": 1}`],
  ["PUT", `${AT}/traits`, `{"resource_provider_generation": N, "traits": []}`],
  ["PUT", `${AT}/aggregates`, `{"resource_provider_generation": N, "aggregates": []}`],
  [
    "PUT",
    `/allocations/${consumer}`,
    `{"allocations": {"${KNOWN}": {"generation": N, "resources": {"VCPU": 1}}}, ${owner}, "consumer_generation": N}`,
    37,
  ],
  [
    "PUT",
    `/allocations/${consumer}`,
    `{"allocations": {"${KNOWN}": {"resources": {"VCPU": N}}}, ${owner}, "consumer_generation": null}`,
    37,
  ],
  [
    "POST",
    "/allocations",
    `{"${consumer}": {"allocations": {"${KNOWN}": {"resources": {"VCPU": 1}}}, ${owner}, "consumer_generation": N}}`,
    37,
  ],
  [
    "POST",
    "/reshaper",
    `{"inventories": {"${KNOWN}": {"resource_provider_generation": N, "inventories": {"VCPU": {"total": 1}}}},
      "allocations": {"${consumer}": {"allocations": {"${KNOWN}": {"resources": {"VCPU": 1}}}, ${owner}, "consumer_generation": N}}}`,
    37,
  ],
];
const queries: readonly string[] = [
  "/allocation_candidates?resources=VCPU:N",
  "/allocation_candidates?resources=VCPU:1&limit=N",
  "/allocation_candidates?resourcesN=VCPU:1&group_policy=none",
  "/resource_providers?resources=VCPU:N",
];

describe("placement: numbers that are too large", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await aGateway();
  });
  after(() => gateway.close());

  const methods = PlacementServiceDefinition.methods as Record<
    string,
    {
      readonly requestType: {
        fromPartial(init: object): unknown;
        encode(message: unknown): { finish(): unknown };
      };
    }
  >;
  const isMessage = async (...args: Parameters<TestGateway["call"]>): Promise<void> => {
    gateway.asked.length = 0;
    const { status, text } = await gateway.call(...args);
    assert.ok(status < 500, text);
    for (const { method, request } of gateway.asked) {
      const type = methods[method]?.requestType;
      assert.ok(type);
      type.encode(type.fromPartial(request)).finish();
    }
  };

  for (const [method, path, body, minor = 39] of bodies)
    it(`${method} ${path} becomes a message or is refused: ${body}`, async () => {
      // Administrators may not reshape, services may.
      const token = path === "/reshaper" ? "service" : "admin";
      const sound = await gateway.call(method, path, minor, { token, body: body.replace(/\bN\b/g, "1") });
      assert.ok(sound.status < 300, `the form itself is sound: ${sound.text}`);
      for (const number of numbers)
        await isMessage(method, path, minor, { token, body: body.replace(/\bN\b/g, number) });
    });
  for (const path of queries)
    it(`GET ${path} becomes a message or is refused`, async () => {
      for (const number of numbers) await isMessage("GET", path.replace("N", number), 39);
    });
});
