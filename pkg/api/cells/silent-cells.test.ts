import assert from "node:assert/strict";
import type { ListInstancesRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { AggregatesServiceDefinition } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import {
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member } from "../testing/an-api.js";

/** Two cells with a host each. */
function twoCells(): TestApi {
  const api = anApi({ config: { cellTimeoutMs: 100, downCellTimeoutMs: 20, hostListTtlMs: 0 } });
  for (const [cell, n] of [
    ["cell1", 1n],
    ["cell2", 2n],
  ] as const) {
    const host = `h${n}`;
    api.cells.setServices(cell, [
      HostService.fromPartial({
        id: `service-${n}`,
        number: n,
        binary: "nova-compute",
        host,
        availabilityZone: `zone-${n}`,
        up: true,
      }),
    ]);
    api.cells.setNodes(cell, [
      ComputeNode.fromPartial({
        id: `node-${n}`,
        number: n,
        host,
        hypervisorHostname: host,
        uptime: " up 3 days",
      }),
    ]);
  }
  return api;
}
const hypervisors = (api: TestApi) => api.channel.client(HypervisorsServiceDefinition);
const services = (api: TestApi) => api.channel.client(ComputeServicesServiceDefinition);
const zones = (api: TestApi) => api.channel.client(AvailabilityZonesServiceDefinition);

describe("lists of hosts while a cell is silent", () => {
  it("show its hypervisors as last seen and not up, nor for how long, and name it", async () => {
    const api = twoCells();
    const list = async (): Promise<unknown> => {
      const answer = await hypervisors(api).listHypervisors(as(administrator), { withServers: true });
      const asked = api.cells.requests.get("listInstances") as ListInstancesRequest;
      assert.equal(asked.filter?.softDeleted, true, "what can be restored is on its host");
      return [
        answer.hypervisors.map(({ hypervisorHostname: host, service, uptime }) => [
          host,
          service?.up,
          uptime,
        ]),
        answer.unreachableCells,
      ];
    };
    const both = [
      ["h1", true, " up 3 days"],
      ["h2", true, " up 3 days"],
    ];
    assert.deepEqual(await list(), [both, []]);
    api.cells.silent.add("cell2");
    const known = [
      ["h1", true, " up 3 days"],
      ["h2", false, undefined],
    ];
    assert.deepEqual(await list(), [known, ["cell2"]]);
    api.cells.silent.clear();
    assert.deepEqual(await list(), [both, []]);
  });

  it("name a cell that was never seen, and do not say that what it may have is not there", async () => {
    const api = twoCells();
    api.cells.silent.add("cell2");
    const answer = await hypervisors(api).listHypervisors(as(administrator), {});
    assert.deepEqual(
      [answer.hypervisors.map(({ id }) => id), answer.unreachableCells],
      [["node-1"], ["cell2"]],
    );
    await assert.rejects(hypervisors(api).getHypervisor(as(administrator), { hypervisorId: "node-2" }), {
      kind: "unavailable",
    });
    const aggregates = api.channel.client(AggregatesServiceDefinition);
    const { aggregate } = await aggregates.createAggregate(as(administrator), { name: "a" });
    await assert.rejects(
      aggregates.addAggregateHost(as(administrator), { aggregateId: aggregate?.id ?? "", host: "h2" }),
      { kind: "unavailable" },
    );
  });

  it("keep its services apart as last seen", async () => {
    const api = twoCells();
    const list = async (): Promise<unknown> => {
      const answer = await services(api).listComputeServices(as(administrator), {});
      return [answer.services, answer.downCellServices].map((some) => some.map(({ host }) => host));
    };
    assert.deepEqual(await list(), [["h1", "h2"], []]);
    api.cells.silent.add("cell2");
    assert.deepEqual(await list(), [["h1"], ["h2"]]);
  });

  it("keep its zones, and name it", async () => {
    const api = twoCells();
    const list = async (): Promise<unknown> => {
      const answer = await zones(api).listAvailabilityZones(as(member), {});
      return [answer.zones.map(({ name }) => name), answer.unreachableCells];
    };
    assert.deepEqual(await list(), [["zone-1", "zone-2"], []]);
    api.cells.silent.add("cell2");
    assert.deepEqual(await list(), [["zone-1", "zone-2"], ["cell2"]]);
    const fresh = twoCells();
    fresh.cells.silent.add("cell2");
    const answer = await zones(fresh).listAvailabilityZones(as(member), {});
    assert.deepEqual([answer.zones.length, answer.unreachableCells], [1, ["cell2"]]);
  });
});
