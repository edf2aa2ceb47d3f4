import assert from "node:assert/strict";
import { AttachInterfaceInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import {
  ExternalEventName,
  ExternalEventResult,
  ExternalEventStatus,
  ExternalEventsServiceDefinition,
} from "../../../gen/kilonova/api/v1/external_events_service.js";
import { InterfacesServiceDefinition } from "../../../gen/kilonova/api/v1/interfaces_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { TrafficDirection } from "../../../gen/kilonova/api/v1/server_details.js";
import { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { ComputeNode } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { SignalOperationRequest } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { ServerHostInfo, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { toStored } from "../../cells/operations/domain/operation-rows.js";
import { toDuration } from "../../model/wire-time.js";
import type { ApiConfig } from "../config.js";
import type { TestApi } from "../testing/an-api.js";
import { aNetwork, aPort, administrator, anApi, as, member, stranger } from "../testing/an-api.js";

const SERVER = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";
const PORT = "22222222-2222-4222-8222-222222222221";
const FREE = "22222222-2222-4222-8222-222222222222";
const THEIRS = "22222222-2222-4222-8222-222222222223";
const NETWORK = aNetwork().id;

/** A server of p1 with a port, a free port of p1 and one of p2, on a host that can attach. */
function world(init: Partial<Server> = {}, config: Parameters<typeof anApi>[0] = {}) {
  const api: TestApi = anApi(config);
  api.cells.setNodes("cell1", [
    ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities: ["attach-interface"] }),
  ]);
  const server = { id: SERVER, vmState: VmState.VM_STATE_ACTIVE, hostInfo: { host: "h1" }, ...init };
  api.cells.put("cell1", server as never, {
    ports: [InstancePort.fromPartial({ portId: PORT, tag: "nic", createdByUs: true })],
  });
  api.networks.push(aNetwork());
  api.ports.set(PORT, aPort({ id: PORT, deviceId: SERVER, status: "ACTIVE" }));
  api.ports.set(FREE, aPort({ id: FREE, fixedIps: [{ subnetId: "s1", ipAddress: "10.0.0.10" }] }));
  api.ports.set(THEIRS, aPort({ id: THEIRS, projectId: "p2" }));
  const interfaces = api.channel.client(InterfacesServiceDefinition);
  const begun = () =>
    [...api.cells.database("cell1").operations.values()]
      .map((row) => toStored(row))
      .filter(({ kind }) => /(interfaces?|volume)$/.test(kind));
  return { api, interfaces, begun };
}

describe("interfaces of a server", () => {
  it("are its ports, with the tags that only the record knows", async () => {
    const { interfaces } = world();
    const { interfaces: listed } = await interfaces.listInterfaces(as(member), { serverId: SERVER });
    const shown = {
      portId: PORT,
      networkId: NETWORK,
      macAddress: "fa:16:3e:00:00:01",
      portState: "ACTIVE",
      addresses: [{ ipAddress: "10.0.0.9", subnetId: "s1" }],
      tag: "nic",
    };
    assert.deepEqual(listed, [shown]);
    const { interface: one } = await interfaces.getInterface(as(member), { serverId: SERVER, portId: PORT });
    assert.deepEqual(one, shown);
  });

  it("are listed in pages", async () => {
    const { api, interfaces } = world();
    for (const n of [5, 4, 6]) {
      const id = `${PORT.slice(0, -1)}${n}`;
      api.ports.set(id, aPort({ id, deviceId: SERVER }));
    }
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await interfaces.listInterfaces(as(member), { serverId: SERVER, pageSize: 2, pageToken });
      assert.ok(page.interfaces.length <= 2);
      seen.push(...page.interfaces.map(({ portId }) => portId.slice(-1)));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.deepEqual(seen, ["1", "4", "5", "6"]);
    await assert.rejects(interfaces.listInterfaces(as(member), { serverId: SERVER, pageToken: "x" }), {
      reason: "BAD_PAGE_TOKEN",
    });
  });

  it("are none of another project's ports that only claim to be of the server", async () => {
    const { api, interfaces } = world();
    api.ports.set(THEIRS, aPort({ id: THEIRS, projectId: "p2", deviceId: SERVER }));
    const { interfaces: listed } = await interfaces.listInterfaces(as(member), { serverId: SERVER });
    assert.deepEqual(
      listed.map(({ portId }) => portId),
      [PORT],
    );
    await assert.rejects(interfaces.getInterface(as(member), { serverId: SERVER, portId: THEIRS }), {
      reason: "PORT_NOT_FOUND",
    });
  });

  it("are not found: ports of other servers, of nobody, and of other projects' servers", async () => {
    const { interfaces } = world();
    const get = (actor: typeof member, serverId: string, portId: string) =>
      interfaces.getInterface(as(actor), { serverId, portId });
    await assert.rejects(get(member, SERVER, FREE), {
      reason: "PORT_NOT_FOUND",
      message: `Instance ${SERVER} does not have a port with id ${FREE}`,
    });
    await assert.rejects(get(member, SERVER, THEIRS), { message: `Port id ${THEIRS} could not be found.` });
    await assert.rejects(get(member, SERVER, "x"), { reason: "PORT_NOT_FOUND" });
    await assert.rejects(get(stranger, SERVER, PORT), { reason: "SERVER_NOT_FOUND" });
  });
});

describe("attaching an interface", () => {
  it("begins an operation with the port, the network, or the project's only network", async () => {
    const { interfaces, begun } = world();
    const given = await interfaces.attachInterface(as(member), { serverId: SERVER, portId: FREE, tag: "b" });
    assert.deepEqual([given.interface?.portId, given.interface?.tag], [FREE, "b"]);
    assert.deepEqual(given.operation?.metadata?.asked, {
      $case: "attachInterface",
      value: { portId: FREE, networkId: undefined, fixedIp: undefined, tag: "b" },
    });
    const made = await interfaces.attachInterface(as(member), {
      serverId: SERVER,
      networkId: NETWORK,
      fixedIp: "10.0.0.77",
    });
    assert.equal(made.interface, undefined);
    await interfaces.attachInterface(as(member), { serverId: SERVER });
    assert.deepEqual(
      begun().map(({ input }) => {
        const { networkId, portId, fixedIp } = AttachInterfaceInput.decode(input);
        return [networkId, portId, fixedIp];
      }),
      [
        ["", FREE, ""],
        [NETWORK, "", "10.0.0.77"],
        [NETWORK, "", ""],
      ],
    );
  });

  it("is the same operation when it is repeated, also once the port is the server's", async () => {
    const { api, interfaces } = world();
    const ask = (clientToken: string) =>
      interfaces.attachInterface(as(member), { serverId: SERVER, portId: FREE, clientToken });
    const first = await ask("t");
    assert.equal(first.interface?.portId, FREE);
    api.ports.set(FREE, aPort({ id: FREE, deviceId: SERVER }));
    const again = await ask("t");
    assert.deepEqual([again.operation?.name, again.interface?.portId], [first.operation?.name, FREE]);
    for (const token of ["", "another"]) await assert.rejects(ask(token), { reason: "PORT_IN_USE" });
  });

  it("is the same operation also when the port that it made was the last one of the quota", async () => {
    const { api, interfaces } = world();
    const ask = (clientToken: string) =>
      interfaces.attachInterface(as(member), { serverId: SERVER, networkId: NETWORK, clientToken });
    const first = await ask("t");
    api.networkQuota.port = 2;
    assert.equal((await ask("t")).operation?.name, first.operation?.name);
    for (const token of ["", "another"]) await assert.rejects(ask(token), { reason: "PORT_QUOTA" });
  });

  it("takes a port whose address comes later", async () => {
    const { api, interfaces } = world();
    api.ports.set(FREE, aPort({ id: FREE, fixedIps: [], ipAllocation: "deferred" }));
    const { operation } = await interfaces.attachInterface(as(member), { serverId: SERVER, portId: FREE });
    assert.equal(operation?.kind, "server.attach-interface");
  });

  it("waits for the end when it is asked to, and no longer than that", async () => {
    const { interfaces } = world();
    const { operation } = await interfaces.attachInterface(as(member), {
      serverId: SERVER,
      portId: FREE,
      wait: toDuration(50),
    });
    assert.equal(operation?.done, false);
  });

  const refused: readonly [string, object, string, ((w: ReturnType<typeof world>) => void)?][] = [
    ["a network and a port", { networkId: NETWORK, portId: FREE }, "INVALID_REQUEST"],
    ["an address without a network", { fixedIp: "10.0.0.1" }, "INVALID_REQUEST"],
    ["no UUID", { portId: "x" }, "INVALID_REQUEST"],
    ["a port that is in use", { portId: PORT }, "PORT_IN_USE"],
    ["another project's port", { portId: THEIRS }, "PORT_NOT_FOUND"],
    ["a port that is not there", { portId: OTHER }, "PORT_NOT_FOUND"],
    [
      "a port without an address",
      { portId: FREE },
      "PORT_WITHOUT_ADDRESS",
      ({ api }) => api.ports.set(FREE, aPort({ id: FREE, fixedIps: [] })),
    ],
    ["a network that is not there", { networkId: OTHER }, "NETWORK_NOT_FOUND"],
    [
      "another project's network",
      { networkId: NETWORK },
      "NETWORK_NOT_FOUND",
      ({ api }) => api.networks.splice(0, 1, aNetwork({ projectId: "p2" })),
    ],
    [
      "an external network",
      { networkId: NETWORK },
      "EXTERNAL_NETWORK",
      ({ api }) => api.networks.splice(0, 1, aNetwork({ external: true })),
    ],
    [
      "a network without a subnet",
      { networkId: NETWORK },
      "NETWORK_WITHOUT_SUBNET",
      ({ api }) => api.networks.splice(0, 1, aNetwork({ subnetIds: [] })),
    ],
    ["nothing where there is no network", {}, "NO_NETWORK", ({ api }) => api.networks.splice(0)],
    [
      "nothing where there are two",
      {},
      "NETWORK_AMBIGUOUS",
      ({ api }) => api.networks.push(aNetwork({ id: OTHER })),
    ],
    [
      "a port that is too many",
      { networkId: NETWORK },
      "PORT_QUOTA",
      ({ api }) => {
        api.networkQuota.port = 2;
      },
    ],
    ["an address that somebody has", { networkId: NETWORK, fixedIp: "10.0.0.9" }, "FIXED_IP_IN_USE"],
    [
      "an address on another project's network",
      { networkId: NETWORK, fixedIp: "10.0.0.99" },
      "FIXED_IP_FORBIDDEN",
      ({ api }) => api.networks.splice(0, 1, aNetwork({ projectId: "p2", shared: true })),
    ],
  ];
  for (const [what, request, reason, change] of refused)
    it(`refuses ${what}`, async () => {
      const w = world();
      change?.(w);
      await assert.rejects(w.interfaces.attachInterface(as(member), { serverId: SERVER, ...request }), {
        reason,
      });
      assert.deepEqual(w.begun(), []);
    });

  it("refuses an administrator a port of another project than the server's", async () => {
    const { interfaces } = world();
    await assert.rejects(
      interfaces.attachInterface(as(administrator), { serverId: SERVER, portId: THEIRS }),
      { reason: "PORT_NOT_USABLE" },
    );
  });

  it("is for servers that are active, paused or stopped, on a host that can", async () => {
    const attach = ({ interfaces }: ReturnType<typeof world>) =>
      interfaces.attachInterface(as(member), { serverId: SERVER, portId: FREE });
    await assert.rejects(attach(world({ vmState: VmState.VM_STATE_SUSPENDED })), { reason: "INVALID_STATE" });
    await assert.rejects(attach(world({ taskState: "rebooting" })), { reason: "INVALID_STATE" });
    await assert.rejects(attach(world({ lock: { lockedBy: "owner", reason: "" } })), {
      reason: "INSTANCE_LOCKED",
    });
    await attach(world({ vmState: VmState.VM_STATE_STOPPED }));
    const unable = world();
    unable.api.cells.setNodes("cell1", [
      ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities: ["x"] }),
    ]);
    await assert.rejects(attach(unable), { reason: "CAPABILITY_MISSING" });
  });
});

describe("detaching an interface", () => {
  it("begins an operation, and knows its repetition when the port is gone", async () => {
    const { api, interfaces, begun } = world();
    const ask = (clientToken: string) =>
      interfaces.detachInterface(as(member), { serverId: SERVER, portId: PORT, clientToken });
    const { operation } = await ask("t");
    assert.deepEqual(
      begun().map(({ kind }) => kind),
      ["server.detach-interface"],
    );
    const hostInfo = ServerHostInfo.fromPartial({ host: "h1" });
    api.cells.put("cell1", { id: SERVER, vmState: VmState.VM_STATE_ACTIVE, hostInfo }, { ports: [] });
    assert.equal((await ask("t")).operation?.name, operation?.name);
    for (const token of ["", "another"]) await assert.rejects(ask(token), { reason: "PORT_NOT_FOUND" });
  });

  it("refuses a port that the server does not have", async () => {
    const { interfaces, begun } = world();
    for (const clientToken of ["", "t"])
      await assert.rejects(
        interfaces.detachInterface(as(member), { serverId: SERVER, portId: FREE, clientToken }),
        { reason: "PORT_NOT_FOUND" },
      );
    assert.deepEqual(begun(), []);
  });
});

describe("security groups of a server", () => {
  const group = (id: string, name: string, projectId = "p1", rules: object[] = []) =>
    ({ id, name, projectId, description: "", rules }) as TestApi["securityGroups"][number];
  const [WEB, DB, SECOND] = ["a", "b", "c"].map((c) => `${c.repeat(8)}-0000-4000-8000-000000000000`) as [
    string,
    string,
    string,
  ];

  function scene(config: Partial<ApiConfig> = {}) {
    const w = world({}, { config });
    w.api.securityGroups.push(
      group(WEB, "web", "p1", [
        { id: "r1", direction: "ingress", protocol: "tcp", remoteGroupId: DB, securityGroupId: WEB },
        { id: "r2", direction: "egress", securityGroupId: WEB },
      ]),
      group(DB, "db"),
      group(SECOND, "secret", "p2"),
    );
    w.api.ports.set(PORT, aPort({ id: PORT, deviceId: SERVER, securityGroupIds: [WEB] }));
    const second = `${PORT.slice(0, -1)}9`;
    w.api.ports.set(second, aPort({ id: second, deviceId: SERVER, securityGroupIds: [] }));
    const servers = w.api.channel.client(ServersServiceDefinition);
    const groupsOf = () => [PORT, second].map((id) => w.api.ports.get(id)?.securityGroupIds);
    const add = (securityGroup: string, actor = member) =>
      servers.addServerSecurityGroup(as(actor), { serverId: SERVER, securityGroup });
    const remove = (securityGroup: string) =>
      servers.removeServerSecurityGroup(as(member), { serverId: SERVER, securityGroup });
    return { ...w, servers, groupsOf, add, remove, second };
  }

  it("are put on all its ports and taken from all of them, by name or id", async () => {
    const { groupsOf, add, remove } = scene();
    await add("db");
    await add(DB);
    assert.deepEqual(groupsOf(), [[WEB, DB], [DB]]);
    await remove("db");
    assert.deepEqual(groupsOf(), [[WEB], []]);
    await assert.rejects(remove("db"), {
      reason: "SECURITY_GROUP_NOT_FOUND",
      message: `Security group db not associated with the instance ${SERVER}`,
    });
  });

  it("are waited for until the server tells of them, and no longer than is patient", async () => {
    const { add, remove, groupsOf } = scene({ portsWaitMs: 300 });
    for (const change of [() => add("db"), () => remove("db")]) {
      const began = performance.now();
      await change();
      const tookMs = performance.now() - began;
      assert.ok(tookMs >= 290, `answered after ${tookMs} ms, and nothing follows here`);
    }
    assert.deepEqual(groupsOf(), [[WEB], []]);
  });

  it("are the caller's own, but for administrators", async () => {
    const { add, groupsOf } = scene();
    await assert.rejects(add(SECOND), { reason: "SECURITY_GROUP_NOT_FOUND" });
    await assert.rejects(add("secret"), { reason: "SECURITY_GROUP_NOT_FOUND" });
    await add(SECOND, administrator);
    assert.deepEqual(groupsOf()[1], [SECOND]);
  });

  it("are named by id where two have one name, and need ports that take them", async () => {
    const { api, add, groupsOf, second } = scene();
    api.securityGroups.push(group("d".repeat(8), "db"));
    await assert.rejects(add("db"), { reason: "SECURITY_GROUP_AMBIGUOUS" });
    api.ports.set(second, aPort({ id: second, deviceId: SERVER, portSecurityEnabled: false }));
    await assert.rejects(add(DB), { reason: "PORT_SECURITY_DISABLED" });
    assert.deepEqual(groupsOf()[0], [WEB]);
  });

  it("are listed with their rules, and what others' groups are is not told", async () => {
    const { api, servers, second } = scene();
    api.ports.set(second, aPort({ id: second, deviceId: SERVER, securityGroupIds: [SECOND, DB] }));
    const { securityGroups } = await servers.listServerSecurityGroups(as(member), { serverId: SERVER });
    assert.deepEqual(
      securityGroups.map(({ name }) => name),
      ["db", "web"],
    );
    const [rule] = securityGroups[1]?.rules ?? [];
    assert.deepEqual(
      [rule?.direction, rule?.protocol, rule?.remoteGroupName, rule?.remoteCidr],
      [TrafficDirection.TRAFFIC_DIRECTION_INGRESS, "tcp", "db", undefined],
    );
    const first = await servers.listServerSecurityGroups(as(member), { serverId: SERVER, pageSize: 1 });
    const rest = await servers.listServerSecurityGroups(as(member), {
      serverId: SERVER,
      pageToken: first.nextPageToken,
    });
    assert.deepEqual(
      [first, rest].map((page) => page.securityGroups.map(({ name }) => name)),
      [["db"], ["web"]],
    );
    assert.equal(rest.nextPageToken, "");
  });

  it("do not tell what others' groups are that a rule lets in by their ids", async () => {
    const { api, servers } = scene();
    api.securityGroups.splice(
      0,
      1,
      group(WEB, "web", "p1", [
        { id: "r1", direction: "ingress", remoteGroupId: SECOND, securityGroupId: WEB },
      ]),
    );
    for (const [actor, name, projectId] of [
      [member, undefined, undefined],
      [administrator, "secret", "p2"],
    ] as const) {
      const { securityGroups } = await servers.listServerSecurityGroups(as(actor), { serverId: SERVER });
      const [rule] = securityGroups[0]?.rules ?? [];
      assert.deepEqual(
        [rule?.remoteGroupId, rule?.remoteGroupName, rule?.remoteGroupProjectId],
        [SECOND, name, projectId],
      );
    }
  });
});

describe("external events", () => {
  const Name = ExternalEventName;
  const Result = ExternalEventResult;
  const event = (name: ExternalEventName, serverId = SERVER, tag = "t") => ({ name, serverId, tag });
  const create = (
    { api }: ReturnType<typeof world>,
    events: object[],
    clientToken = "",
    actor = administrator,
  ) =>
    api.channel
      .client(ExternalEventsServiceDefinition)
      .createExternalEvents(as(actor), { events, clientToken });

  it("have a result each: taken, not possible, of no server, of a server without a host", async () => {
    const w = world();
    w.api.cells.put("cell1", { id: OTHER });
    const { results } = await create(w, [
      event(Name.EXTERNAL_EVENT_NAME_NETWORK_VIF_PLUGGED),
      event(Name.EXTERNAL_EVENT_NAME_POWER_UPDATE, SERVER, ""),
      event(Name.EXTERNAL_EVENT_NAME_NETWORK_CHANGED, "00000000-0000-4000-8000-00000000000f"),
      event(Name.EXTERNAL_EVENT_NAME_NETWORK_CHANGED, OTHER),
    ]);
    assert.deepEqual(results, [
      Result.EXTERNAL_EVENT_RESULT_ACCEPTED,
      Result.EXTERNAL_EVENT_RESULT_INVALID,
      Result.EXTERNAL_EVENT_RESULT_SERVER_NOT_FOUND,
      Result.EXTERNAL_EVENT_RESULT_NO_HOST,
    ]);
    assert.deepEqual(w.begun(), []);
  });

  it("of ports have the server's ports read, once for all of one call", async () => {
    const w = world({ vmState: VmState.VM_STATE_SUSPENDED, taskState: "resuming" });
    const events = [
      event(Name.EXTERNAL_EVENT_NAME_NETWORK_CHANGED),
      event(Name.EXTERNAL_EVENT_NAME_NETWORK_VIF_DELETED),
    ];
    await create(w, events, "token");
    await create(w, events, "token");
    assert.deepEqual(
      w.begun().map(({ kind }) => kind),
      ["server.refresh-interfaces"],
    );
    await assert.rejects(create(w, events.slice(1), "token"), { reason: "TOKEN_REUSED" });
  });

  it("of volumes have the host see that one has grown, each by itself", async () => {
    const w = world({ vmState: VmState.VM_STATE_STOPPED });
    w.api.cells.setNodes("cell1", [
      ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities: ["extend-volume"] }),
    ]);
    const volume = "A0000000-0000-4000-8000-000000000001";
    const grown = event(Name.EXTERNAL_EVENT_NAME_VOLUME_EXTENDED, SERVER, volume);
    for (let times = 0; times < 2; times++) await create(w, [grown, grown], "token");
    const asked = { asked: { $case: "extendVolume", value: { volumeId: volume.toLowerCase() } } };
    assert.deepEqual(
      w.begun().map(({ kind, action, metadata }) => [kind, action, metadata]),
      [1, 2].map(() => ["server.extend-volume", "extend_volume", asked]),
    );
  });

  it("of volumes are taken of a host that sees new sizes at starts only, and nothing follows", async () => {
    const w = world();
    w.api.cells.setNodes("cell1", [ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities: [] })]);
    const { results } = await create(w, [event(Name.EXTERNAL_EVENT_NAME_VOLUME_EXTENDED)]);
    assert.deepEqual([results, w.begun()], [[Result.EXTERNAL_EVENT_RESULT_ACCEPTED], []]);
  });

  it("of a volume that was written anew are told to the rebuild that waits for it, and to no other", async () => {
    const w = world({ taskState: "rebuilding" });
    const [root, other] = [PORT, THEIRS];
    w.api.cells.putDevices("cell1", SERVER, [
      { id: "d1", volumeId: root, bootIndex: 0 },
      { id: "d2", volumeId: other },
    ]);
    const told = (): SignalOperationRequest | undefined =>
      w.api.cells.requests.get("signalOperation") as SignalOperationRequest | undefined;
    const failed = ExternalEventStatus.EXTERNAL_EVENT_STATUS_FAILED;
    const reimaged = (tag: string) => [
      { ...event(Name.EXTERNAL_EVENT_NAME_VOLUME_REIMAGED, SERVER, tag), status: failed },
    ];
    for (const tag of [other, "", "t"]) await create(w, reimaged(tag));
    assert.equal(told(), undefined);
    await create(w, reimaged(root.toUpperCase()));
    assert.equal(told()?.payload.toString(), "failed");
  });

  it("begin one operation for each server, also with one token for all", async () => {
    const w = world();
    w.api.cells.put("cell1", { id: OTHER, hostInfo: { host: "h1" } } as never);
    const events = [SERVER, OTHER].map((id) => event(Name.EXTERNAL_EVENT_NAME_NETWORK_CHANGED, id));
    for (let times = 0; times < 2; times++) await create(w, events, "token");
    assert.equal(w.begun().length, 2);
  });

  it("are of servers of every project, for whom the rule lets speak of them", async () => {
    const w = world();
    const service = { ...stranger, roles: ["service"] };
    const { results } = await create(w, [event(Name.EXTERNAL_EVENT_NAME_NETWORK_CHANGED)], "", service);
    assert.deepEqual(results, [Result.EXTERNAL_EVENT_RESULT_ACCEPTED]);
    await assert.rejects(create(w, [event(Name.EXTERNAL_EVENT_NAME_NETWORK_CHANGED)], "", member), {
      reason: "FORBIDDEN",
    });
  });

  it("are refused: none, one without a name, and those of which no server is known", async () => {
    const w = world();
    await assert.rejects(create(w, []), { reason: "INVALID_REQUEST" });
    await assert.rejects(create(w, [{ serverId: SERVER }]), { reason: "INVALID_REQUEST" });
    await assert.rejects(
      create(w, [event(Name.EXTERNAL_EVENT_NAME_NETWORK_CHANGED, "00000000-0000-4000-8000-00000000000f")]),
      { reason: "SERVER_NOT_FOUND" },
    );
  });
});
