import assert from "node:assert/strict";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { AcceptServersRequest } from "../../../gen/kilonova/cells/v1/global_service.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { TestApi, TestApiOptions } from "../testing/an-api.js";
import { administrator, anImage, aReadyApi, as } from "../testing/an-api.js";

/** vm-1 is in zone west, vm-2 in nova, in another cell; nodes are named otherwise than hosts. */
function twoHosts(options: TestApiOptions = {}): TestApi {
  const api = aReadyApi(options);
  for (const [cell, host, availabilityZone] of [
    ["cell1", "vm-1", "west"],
    ["cell2", "vm-2", "nova"],
  ] as const) {
    api.cells.setServices(cell, [
      HostService.fromPartial({ binary: "nova-compute", host, availabilityZone, up: true }),
    ]);
    api.cells.setNodes(cell, [ComputeNode.fromPartial({ host, hypervisorHostname: `${host}.example` })]);
  }
  return api;
}

/** Where the servers of the request shall be: zone, forced host and node. */
async function placed(
  wish: Partial<CreateServersRequest>,
  api = twoHosts(),
): Promise<readonly (string | undefined)[]> {
  await api.channel
    .client(ServersServiceDefinition)
    .createServers(as({ ...administrator, projectId: "p1" }), {
      name: "vm",
      flavorId: "1",
      imageId: anImage().id,
      ...wish,
    });
  const { servers } = api.cells.requests.get("acceptServers") as AcceptServersRequest;
  const { spec, server } = servers[0] ?? assert.fail();
  assert.equal(server?.pinnedAvailabilityZone, spec?.availabilityZone);
  return [spec?.availabilityZone, spec?.forcedHost, spec?.forcedNode];
}

describe("where a create wants its servers", () => {
  const places: readonly (readonly [zone: string | undefined, expected: readonly string[]])[] = [
    [undefined, ["", "", ""]],
    ["west", ["west", "", ""]],
    ["west:vm-1", ["west", "vm-1", ""]],
    ["nova:vm-1", ["west", "vm-1", ""]],
    ["mars:vm-1", ["west", "vm-1", ""]],
    [":vm-1", ["", "vm-1", ""]],
    ["nova::vm-1.example", ["west", "", "vm-1.example"]],
    ["nova:vm-1:vm-1.example", ["west", "vm-1", "vm-1.example"]],
  ];
  for (const [availabilityZone, expected] of places)
    it(`"${availabilityZone ?? ""}": a forced host counts, in its own zone`, async () =>
      assert.deepEqual(await placed({ availabilityZone }), expected));

  it("leaves the zone of a forced host open while its cell is silent and unknown", async () => {
    const api = twoHosts({ config: { cellTimeoutMs: 150, downCellTimeoutMs: 20 } });
    api.cells.silent.add("cell1");
    assert.deepEqual(await placed({ availabilityZone: "nova:vm-1" }, api), ["", "vm-1", ""]);
    assert.deepEqual(await placed({ availabilityZone: "nova" }, api), ["nova", "", ""]);
  });

  const refused: readonly (readonly [wish: Partial<CreateServersRequest>, reason: string])[] = [
    [{ host: "vm-2", hypervisorHostname: "vm-1.example" }, "HOST_NOT_FOUND"],
    [{ availabilityZone: "nova:vm-2:vm-1.example" }, "HOST_NOT_FOUND"],
    [{ hypervisorHostname: "vm-1" }, "HOST_NOT_FOUND"],
    [{ host: "vm-3" }, "HOST_NOT_FOUND"],
    [{ host: "vm-1", availabilityZone: "west:vm-1" }, "TWO_DESTINATIONS"],
    [{ host: "vm-1", availabilityZone: "west::vm-1.example" }, "TWO_DESTINATIONS"],
    [{ hypervisorHostname: "vm-1.example", availabilityZone: "west:vm-1" }, "TWO_DESTINATIONS"],
    [{ availabilityZone: "mars" }, "ZONE_NOT_AVAILABLE"],
  ];
  for (const [wish, reason] of refused)
    it(`${JSON.stringify(wish)} is refused`, async () =>
      assert.rejects(placed(wish), { reason, kind: "invalid" }));

  for (const wish of [
    { host: "vm-1" },
    { hypervisorHostname: "vm-1.example" },
    { host: "vm-1", hypervisorHostname: "vm-1.example" },
    { host: "vm-1", availabilityZone: "west" },
  ])
    it(`${JSON.stringify(wish)} is accepted`, async () => {
      await placed(wish);
    });
});
