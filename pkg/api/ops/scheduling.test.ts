import assert from "node:assert/strict";
import { SchedulingServiceDefinition } from "../../../gen/kilonova/api/v1/scheduling_service.js";
import { ServerGroup, ServerGroupPolicy } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { Explanation } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { ServerFault, ServerHostInfo, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { NetworkMode } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member, stranger } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001",
  GROUP = "00000000-0000-4000-8000-0000000000aa",
  IMAGE = "00000000-0000-4000-8000-0000000000bb";
const scheduling = (api: TestApi) => api.channel.client(SchedulingServiceDefinition);
const EXPLANATION = Explanation.fromPartial({
  hostsConsidered: 3,
  hostsAccepted: 1,
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
  api.cells.put(
    "cell1",
    { id: A, hostInfo: ServerHostInfo.fromPartial({ host: "h1" }), serverGroupId: GROUP },
    { spec: ServerSpec.fromPartial({ name: "vm", serverGroupId: GROUP }) },
  );
  api.cells.putGroup(
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

  it("tells tenants whether and which rules, not how many hosts there are, and knows no servers of others", async () => {
    const api = withServer();
    const { explanation, hiddenFields } = await scheduling(api).explainServer(as(member), { serverId: A });
    assert.equal(api.scheduling.request?.adminView, false);
    assert.ok(explanation);
    const { at: _at, ...told } = explanation;
    assert.deepEqual(told, {
      hasHost: true,
      hostsConsidered: 0,
      hostsAccepted: 0,
      acceptedHosts: [],
      message: undefined,
      refusals: [
        { rule: "placement", reason: "CAPACITY", hosts: 0, nearestHost: undefined, nearestFacts: new Map() },
      ],
    });
    assert.deepEqual(hiddenFields, [
      "refusals.nearest_host",
      "accepted_hosts",
      "hosts_considered",
      "hosts_accepted",
      "refusals.hosts",
      "refusals.nearest_facts",
    ]);
    await assert.rejects(scheduling(api).explainServer(as(stranger), { serverId: A }), {
      reason: "SERVER_NOT_FOUND",
    });
  });

  it("tells the owner of a server that found no host how many refused it", async () => {
    const api = withServer();
    api.scheduling.explanation = { ...EXPLANATION, acceptedHosts: [], hostsAccepted: 0, message: "m" };
    const server = api.cells.put("cell0", {
      id: A,
      vmState: VmState.VM_STATE_ERROR,
      fault: ServerFault.fromPartial({ code: 500, message: "m", reason: "NO_VALID_HOST" }),
    });
    const told = await scheduling(api).explainServer(as(member), { serverId: server.id });
    assert.deepEqual(
      [told.explanation?.hasHost, told.explanation?.message, told.explanation?.hostsConsidered],
      [false, "m", 3],
    );
    assert.deepEqual(
      told.explanation?.refusals.map(({ hosts, nearestFacts }) => [hosts, nearestFacts.get("free")]),
      [[2, "3"]],
    );
    assert.deepEqual(told.hiddenFields, ["refusals.nearest_host", "accepted_hosts"]);
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

  it("tells whether there is a host and the quota, and stores nothing", async () => {
    const api = ready();
    api.cells.limits.set("cores", 3).set("instances", 10);
    const asked = async (more: object) =>
      scheduling(api).whatIf(as(member), { request: { ...wish, ...more } });
    const one = await asked({ clientToken: "t", schedulerHints: { group: GROUP } });
    assert.deepEqual([one.explanation?.hasHost, one.exceededQuotas], [true, []]);
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

  it("does not let tenants measure the cloud, whatever they ask for", async () => {
    const api = ready();
    api.scheduling.explanation = {
      ...EXPLANATION,
      acceptedHosts: [],
      hostsAccepted: 0,
      message: "No valid host was found. There are not enough hosts available. 2 of 3 hosts: full.",
    };
    const { explanation, hiddenFields } = await scheduling(api).whatIf(as(member), { request: wish });
    assert.deepEqual(
      [explanation?.hasHost, explanation?.message, explanation?.hostsConsidered],
      [false, "No valid host was found. There are not enough hosts available.", 0],
    );
    assert.deepEqual(
      explanation?.refusals.map(({ rule, hosts, nearestFacts }) => [rule, hosts, nearestFacts.size]),
      [["placement", 0, 0]],
    );
    assert.ok(hiddenFields.includes("refusals.hosts"));
    const told = await scheduling(api).whatIf(as(administrator), { request: wish });
    assert.deepEqual([told.explanation?.hostsConsidered, told.hiddenFields], [3, []]);
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
