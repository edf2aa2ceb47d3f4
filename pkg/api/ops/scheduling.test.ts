import assert from "node:assert/strict";
import { SchedulingServiceDefinition } from "../../../gen/kilonova/api/v1/scheduling_service.js";
import { ServerGroup, ServerGroupPolicy } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { Explanation } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import { NetworkMode } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member, stranger } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001",
  GROUP = "00000000-0000-4000-8000-0000000000aa",
  IMAGE = "00000000-0000-4000-8000-0000000000bb";
const scheduling = (api: TestApi) => api.channel.client(SchedulingServiceDefinition);
const EXPLANATION = Explanation.fromPartial({
  hostsConsidered: 3,
  acceptedHosts: ["h2"],
  refusals: [
    {
      rule: "placement",
      reason: "CAPACITY",
      hosts: 2,
      nearestHost: "h1",
      nearestFacts: new Map([
        ["needed", "4"],
        ["free", "3"],
      ]),
    },
  ],
});

function withServer(): TestApi {
  const api = anApi();
  api.scheduling.explanation = EXPLANATION;
  api.cells.put("cell1", {
    id: A,
    hostInfo: ServerHostInfo.fromPartial({ host: "h1" }),
    serverGroupId: GROUP,
  });
  api.cells.records.get("cell1")?.set(
    A,
    InstanceRecord.fromPartial({
      ...api.cells.records.get("cell1")?.get(A),
      spec: { name: "vm", serverGroupId: GROUP },
    }),
  );
  api.cells.groups.set(
    GROUP,
    ServerGroup.fromPartial({
      id: GROUP,
      projectId: "p1",
      policy: ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY,
      maxServerPerHost: 2,
      memberIds: [A, "other"],
    }),
  );
  return api;
}

describe("explainServer", () => {
  it("asks about other hosts than the server's own, and its group without itself", async () => {
    const api = withServer();
    const { explanation, hiddenFields } = await scheduling(api).explainServer(as(administrator), {
      serverId: A,
    });
    assert.deepEqual(
      [
        explanation?.hostsConsidered,
        explanation?.hostsAccepted,
        explanation?.acceptedHosts,
        explanation?.refusals[0]?.nearestHost,
      ],
      [3, 1, ["h2"], "h1"],
    );
    assert.deepEqual(hiddenFields, []);
    const asked = api.scheduling.request;
    assert.deepEqual(
      [
        asked?.excludeHosts,
        asked?.projectId,
        asked?.spec?.name,
        asked?.group?.policy,
        asked?.group?.maxServerPerHost,
        asked?.group?.memberIds,
      ],
      [["h1"], "p1", "vm", "anti-affinity", 2, ["other"]],
    );
  });

  it("names no host to tenants, and knows no servers of others", async () => {
    const api = withServer();
    const { explanation, hiddenFields } = await scheduling(api).explainServer(as(member), { serverId: A });
    assert.deepEqual(
      [
        explanation?.hostsAccepted,
        explanation?.acceptedHosts,
        explanation?.refusals.map(({ nearestHost, hosts }) => [nearestHost, hosts]),
      ],
      [1, [], [["", 2]]],
    );
    assert.deepEqual(hiddenFields, ["refusals.nearest_host", "accepted_hosts"]);
    await assert.rejects(scheduling(api).explainServer(as(stranger), { serverId: A }), {
      reason: "SERVER_NOT_FOUND",
    });
  });

  it("does without a group that is deleted", async () => {
    const api = withServer();
    api.cells.groups.clear();
    await scheduling(api).explainServer(as(member), { serverId: A });
    assert.equal(api.scheduling.request?.group, undefined);
  });
});

describe("whatIf", () => {
  function ready(): TestApi {
    const api = withServer();
    api.cells.flavors.set(
      "1",
      Flavor.fromPartial({ id: "1", name: "m1", vcpus: 2, memoryMib: 512, rootGib: 1, isPublic: true }),
    );
    api.images.set(IMAGE, {
      id: IMAGE,
      name: "i",
      status: "active",
      visibility: "public",
      owner: "p1",
      diskFormat: "qcow2",
      containerFormat: "bare",
      sizeBytes: 1,
      minDiskGib: 0,
      minRamMib: 0,
      properties: {},
    } as never);
    return api;
  }
  const wish = { name: "vm", flavorId: "1", imageId: IMAGE, networkMode: NetworkMode.NETWORK_MODE_NONE };

  it("tells hosts and quota, and stores nothing", async () => {
    const api = ready();
    api.cells.limits.set("cores", 3n).set("instances", 10n);
    const asked = async (more: object) =>
      scheduling(api).whatIf(as(member), { request: { ...wish, ...more } });
    const one = await asked({ clientToken: "t", schedulerHintsJson: JSON.stringify({ group: GROUP }) });
    assert.deepEqual([one.explanation?.hostsAccepted, one.exceededQuotas], [1, []]);
    assert.deepEqual(
      [
        api.scheduling.request?.spec?.flavor?.vcpus,
        api.scheduling.request?.group?.memberIds,
        api.scheduling.request?.excludeHosts,
      ],
      [2, [A, "other"], []],
    );
    assert.deepEqual((await asked({ minCount: 2 })).exceededQuotas, ["cores"]);
    assert.ok(!api.cells.calls.includes("acceptServers"));
  });

  it("refuses what a create would refuse", async () => {
    const api = ready();
    await assert.rejects(scheduling(api).whatIf(as(member), {}), { reason: "INVALID_REQUEST" });
    await assert.rejects(
      scheduling(api).whatIf(as(member), { request: { ...wish, name: "" } }),
      (error: { violations: { field: string }[] }) =>
        error.violations.some(({ field }) => field === "request.name"),
    );
    await assert.rejects(scheduling(api).whatIf(as(member), { request: { ...wish, flavorId: "9" } }), {
      reason: "FLAVOR_NOT_FOUND",
      kind: "invalid",
    });
    await assert.rejects(scheduling(api).whatIf(as(member), { request: { ...wish, host: "h1" } }), {
      reason: "FORBIDDEN",
    });
  });
});
