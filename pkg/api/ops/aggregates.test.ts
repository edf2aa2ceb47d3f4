import assert from "node:assert/strict";
import { AggregatesServiceDefinition } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member } from "../testing/an-api.js";

const aggregates = (api: TestApi) => api.channel.client(AggregatesServiceDefinition);
const admin = () => as(administrator);

function withHosts(): TestApi {
  const api = anApi();
  api.cells.setServices(
    "cell1",
    ["h1", "h2"].map((host) =>
      HostService.fromPartial({ id: host, binary: "nova-compute", host, availabilityZone: "nova", up: true }),
    ),
  );
  return api;
}
const busy = (api: TestApi, host: string) =>
  api.cells.put("cell1", {
    id: "00000000-0000-4000-8000-000000000001",
    hostInfo: ServerHostInfo.fromPartial({ host }),
  });

describe("aggregates", () => {
  it("are made, read by number or UUID, changed and deleted, by administrators", async () => {
    const api = withHosts();
    const { aggregate } = await aggregates(api).createAggregate(admin(), {
      name: "ssd",
      availabilityZone: "west",
    });
    assert.deepEqual(
      [aggregate?.number, aggregate?.availabilityZone, [...(aggregate?.metadata ?? [])]],
      [1n, "west", [["availability_zone", "west"]]],
    );
    for (const aggregateId of ["1", aggregate?.id ?? ""])
      assert.equal((await aggregates(api).getAggregate(admin(), { aggregateId })).aggregate?.name, "ssd");
    const unzoned = await aggregates(api).updateAggregate(admin(), {
      aggregateId: "1",
      name: "nvme",
      availabilityZone: "",
    });
    assert.deepEqual(
      [unzoned.aggregate?.name, unzoned.aggregate?.availabilityZone, unzoned.aggregate?.metadata.size],
      ["nvme", undefined, 0],
    );
    const { aggregate: labelled } = await aggregates(api).setAggregateMetadata(admin(), {
      aggregateId: "1",
      metadata: new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
      removeKeys: ["c"],
    });
    assert.deepEqual(
      [...(labelled?.metadata ?? [])],
      [
        ["a", "1"],
        ["b", "2"],
      ],
    );
    assert.equal((await aggregates(api).listAggregates(admin(), {})).aggregates.length, 1);
    await aggregates(api).deleteAggregate(admin(), { aggregateId: "1" });
    await assert.rejects(aggregates(api).getAggregate(admin(), { aggregateId: "1" }), {
      reason: "AGGREGATE_NOT_FOUND",
    });
    for (const call of [
      aggregates(api).createAggregate(as(member), { name: "x" }),
      aggregates(api).listAggregates(as(member), {}),
    ])
      await assert.rejects(call, { reason: "FORBIDDEN" });
  });

  it("take hosts that exist, each in one zone", async () => {
    const api = withHosts();
    for (const [name, zone] of [
      ["w", "west"],
      ["e", "east"],
      ["none", undefined],
    ] as const)
      await aggregates(api).createAggregate(admin(), {
        name,
        ...(zone === undefined ? {} : { availabilityZone: zone }),
      });
    const add = (aggregateId: string, host: string) =>
      aggregates(api).addAggregateHost(admin(), { aggregateId, host });
    assert.deepEqual((await add("1", "h1")).aggregate?.hosts, ["h1"]);
    await assert.rejects(add("1", "h9"), { reason: "COMPUTE_HOST_NOT_FOUND", kind: "missing" });
    await assert.rejects(add("1", "h1"), { reason: "HOST_IN_AGGREGATE", kind: "exists" });
    await assert.rejects(add("2", "h1"), { reason: "HOST_IN_OTHER_ZONE", kind: "refused" });
    await add("3", "h1");
    await assert.rejects(
      aggregates(api).updateAggregate(admin(), { aggregateId: "3", availabilityZone: "south" }),
      { reason: "ZONE_CONFLICT" },
    );
    await assert.rejects(aggregates(api).removeAggregateHost(admin(), { aggregateId: "1", host: "h2" }), {
      reason: "HOST_NOT_IN_AGGREGATE",
      message: "Cannot remove host h2 in aggregate 1",
    });
    assert.deepEqual(
      (await aggregates(api).removeAggregateHost(admin(), { aggregateId: "1", host: "h1" })).aggregate?.hosts,
      [],
    );
  });

  it("do not change the zone of hosts with servers", async () => {
    const api = withHosts();
    await aggregates(api).createAggregate(admin(), { name: "w", availabilityZone: "west" });
    await aggregates(api).createAggregate(admin(), { name: "none" });
    await aggregates(api).addAggregateHost(admin(), { aggregateId: "1", host: "h1" });
    busy(api, "h1");
    await assert.rejects(
      aggregates(api).updateAggregate(admin(), { aggregateId: "1", availabilityZone: "east" }),
      { reason: "ZONE_IN_USE" },
    );
    await assert.rejects(
      aggregates(api).setAggregateMetadata(admin(), { aggregateId: "1", removeKeys: ["availability_zone"] }),
      { reason: "ZONE_IN_USE" },
    );
    await assert.rejects(aggregates(api).removeAggregateHost(admin(), { aggregateId: "1", host: "h1" }), {
      reason: "HOST_ZONE_IN_USE",
    });
    await aggregates(api).updateAggregate(admin(), {
      aggregateId: "1",
      name: "renamed",
      availabilityZone: "west",
    });
    await aggregates(api).addAggregateHost(admin(), { aggregateId: "2", host: "h1" });
    busy(api, "h2");
    await assert.rejects(aggregates(api).addAggregateHost(admin(), { aggregateId: "1", host: "h2" }), {
      reason: "HOST_ZONE_IN_USE",
    });
  });

  it("need names and zones that can be told", async () => {
    const api = withHosts();
    await aggregates(api).createAggregate(admin(), { name: "a" });
    for (const call of [
      aggregates(api).createAggregate(admin(), { name: "" }),
      aggregates(api).createAggregate(admin(), { name: "a", availabilityZone: "a:b" }),
      aggregates(api).createAggregate(admin(), { name: "a", availabilityZone: "" }),
      aggregates(api).setAggregateMetadata(admin(), {
        aggregateId: "1",
        metadata: new Map([["availability_zone", "a:b"]]),
      }),
      aggregates(api).setAggregateMetadata(admin(), { aggregateId: "1", metadata: new Map([["a/b", "1"]]) }),
    ])
      await assert.rejects(call, { reason: "INVALID_REQUEST" });
  });
});
