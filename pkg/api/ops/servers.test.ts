import assert from "node:assert/strict";
import {
  RebootType,
  ServerFilter,
  ListServersResponse,
  ServerSortField,
  ServersServiceDefinition,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import { ChangePasswordSecrets, RebootInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { ListServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { NovaListsServiceDefinition } from "../../../gen/kilonova/compat/v1/nova_lists_service.js";
import type { NovaListing } from "../../../gen/kilonova/compat/v1/nova_lists_service.js";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type {
  AcceptOperationRequest,
  ListInstancesRequest,
} from "../../../gen/kilonova/cells/v1/instances_service.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { MigrationKind, MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { HostStatus, ServerFault, ServerHostInfo, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Actor } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import { catalogue } from "../../model/operation-catalogue.js";
import { formOf, subjectOf } from "../../model/operation-declaration.js";
import { bindService } from "../../platform/rpc/index.js";
import type { Handlers } from "../../platform/rpc/index.js";
import type { TestApi } from "../testing/an-api.js";
import {
  aFlavor,
  aReadyApi,
  administrator,
  anApi,
  anImage,
  as,
  member,
  stranger,
} from "../testing/an-api.js";
import { anInterruptedApi } from "../testing/interrupted-api.js";

const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString().padStart(12, "0")}`;
const A = uuid(1);
const at = (seconds: number): { seconds: bigint; nanos: number } => ({ seconds: BigInt(seconds), nanos: 0 });
const servers = (api: TestApi) => api.channel.client(ServersServiceDefinition);
const onHost = ServerHostInfo.fromPartial({ host: "h1", node: "n1", instanceName: "instance-1" });

function withHost(api: TestApi, init: Partial<HostService> = {}): void {
  api.cells.setServices("cell1", [
    HostService.fromPartial({
      id: "s1",
      number: 1n,
      binary: "nova-compute",
      host: "h1",
      availabilityZone: "west",
      up: true,
      address: "agent:h1",
      ...init,
    }),
  ]);
}

describe("getServer", () => {
  it("hides hosts, details and extra rights from tenants, and says so", async () => {
    const api = anApi();
    withHost(api);
    api.cells.put("cell1", {
      id: A,
      hostInfo: onHost,
      fault: ServerFault.fromPartial({ code: 500, message: "m", details: "secret" }),
      flavor: Flavor.fromPartial({ id: "1", projectIds: ["p9"] }),
    });
    const { server, hiddenFields } = await servers(api).getServer(as(member), {
      serverId: A,
      withHostInfo: true,
      withUserData: true,
    });
    assert.equal(server?.hostInfo, undefined);
    assert.equal(server?.hostStatus, HostStatus.HOST_STATUS_UNSPECIFIED);
    assert.equal(server?.fault?.details, undefined);
    assert.deepEqual(server?.flavor?.projectIds, []);
    assert.equal(server?.availabilityZone, "west");
    assert.match(server?.hostId ?? "", /^[0-9a-f]{56}$/);
    assert.deepEqual(hiddenFields, ["host_info", "host_status", "fault.details", "user_data"]);
  });

  for (const [what, service, status] of [
    ["up", {}, HostStatus.HOST_STATUS_UP],
    ["down", { up: false, forcedDown: true, disabled: true }, HostStatus.HOST_STATUS_DOWN],
    ["in maintenance", { disabled: true }, HostStatus.HOST_STATUS_MAINTENANCE],
    ["unknown", { up: false }, HostStatus.HOST_STATUS_UNKNOWN],
  ] as const) {
    it(`shows administrators a host that is ${what}`, async () => {
      const api = anApi();
      withHost(api, service);
      api.cells.put("cell1", { id: A, hostInfo: onHost });
      const { server } = await servers(api).getServer(as(administrator), { serverId: A, withHostInfo: true });
      assert.deepEqual([server?.hostInfo?.host, server?.hostStatus], ["h1", status]);
    });
  }

  it("does not know servers of other projects, nor texts that are no UUID", async () => {
    const api = anApi();
    api.cells.put("cell1", { id: A });
    await assert.rejects(servers(api).getServer(as(stranger), { serverId: A }), {
      reason: "SERVER_NOT_FOUND",
      message: `Instance ${A} could not be found.`,
    });
    await assert.rejects(servers(api).getServer(as(member), { serverId: "detail.json" }), {
      reason: "SERVER_NOT_FOUND",
    });
    await assert.rejects(servers(api).getServer(as(member), { serverId: uuid(9) }), {
      reason: "SERVER_NOT_FOUND",
    });
  });

  it("follows a server that moved since its database was remembered", async () => {
    const api = anApi();
    api.cells.put("global", { id: A });
    await servers(api).getServer(as(member), { serverId: A });
    api.cells.put("cell1", { id: A, name: "moved" });
    assert.equal((await servers(api).getServer(as(member), { serverId: A })).server?.name, "moved");
    await servers(api).getServer(as(member), { serverId: A });
    assert.equal(api.cells.calls.filter((call) => call === "getInstanceMappings").length, 2);
  });

  it("sketches a server of a silent cell", async () => {
    const api = anApi({ config: { cellTimeoutMs: 100 } });
    api.cells.put("cell1", { id: A, createdAt: at(5), name: "unseen" });
    api.cells.silent.add("cell1");
    const { server, cellUnreachable } = await servers(api).getServer(as(member), { serverId: A });
    assert.equal(cellUnreachable, true);
    assert.deepEqual([server?.id, server?.projectId, server?.createdAt, server?.name], [A, "p1", at(5), ""]);
  });
});

describe("listServers", () => {
  const list = (
    api: TestApi,
    wish: Partial<ListServersRequest> = {},
    actor: Actor = member,
  ): Promise<ListServersResponse> => servers(api).listServers(as(actor), wish);
  const listAsNova = (
    api: TestApi,
    wish: Partial<ListServersRequest>,
    nova: Partial<NovaListing>,
  ): Promise<ListServersResponse> =>
    api.channel.client(NovaListsServiceDefinition).listServers(as(member), { list: wish, nova });
  const ids = ({ servers: found }: ListServersResponse): string[] => found.map((one) => one.id);

  function spread(count: number): TestApi {
    const api = anApi({ config: { cellTimeoutMs: 150, downCellTimeoutMs: 20 } });
    for (let i = 1; i <= count; i++)
      api.cells.put(["global", "cell0", "cell1", "cell2"][i % 4] ?? "", {
        id: uuid(i),
        name: `vm${i}`,
        createdAt: at(i),
      });
    return api;
  }

  it("merges all databases, newest first, and pages through them without gap or repetition", async () => {
    const api = spread(9);
    const seen: string[] = [];
    for (let pageToken = "", pages = 0; pages === 0 || pageToken !== ""; pages++) {
      const page = await list(api, { pageSize: 4, pageToken });
      seen.push(...ids(page));
      pageToken = page.nextPageToken;
    }
    assert.deepEqual(seen, [9, 8, 7, 6, 5, 4, 3, 2, 1].map(uuid));
  });

  it("sorts as asked and continues after a marker", async () => {
    const api = spread(5);
    const sort = [{ field: ServerSortField.SERVER_SORT_FIELD_NAME, direction: 1 as const }];
    assert.deepEqual(ids(await listAsNova(api, { sort }, { marker: uuid(2) })), [3, 4, 5].map(uuid));
    await assert.rejects(listAsNova(api, {}, { marker: uuid(77) }), {
      reason: "MARKER_NOT_FOUND",
      kind: "invalid",
      message: `marker [${uuid(77)}] not found`,
    });
  });

  it("ends pages where their bytes do, and takes too large ones for the largest", async () => {
    const api = anApi();
    const text = "x".repeat(200);
    const metadata = new Map(Array.from({ length: 128 }, (_, i) => [`${text}${i}`, text]));
    for (let i = 1; i <= 90; i++) api.cells.put("cell1", { id: uuid(i), createdAt: at(i), metadata });
    const seen: string[] = [];
    let pages = 0;
    for (let pageToken = ""; pages === 0 || pageToken !== ""; pages++) {
      const page = await list(api, { pageSize: 5_000, pageToken });
      assert.ok(ListServersResponse.encode(page).finish().length < 4 << 20);
      seen.push(...ids(page));
      pageToken = page.nextPageToken;
    }
    assert.ok(pages > 1, String(pages));
    assert.deepEqual(
      seen,
      Array.from({ length: 90 }, (_, i) => uuid(90 - i)),
    );
    assert.equal((api.cells.requests.get("listInstances") as ListInstancesRequest).pageSize, 1000);
    await list(api, {});
    assert.equal((api.cells.requests.get("listInstances") as ListInstancesRequest).pageSize, 100);
  });

  it("says BAD_PAGE_TOKEN of everything that is no token of the list", async () => {
    const api = spread(3);
    for (const pageToken of ["a b", "1.W10", "marker", "é".repeat(300)])
      await assert.rejects(list(api, { pageToken }), { reason: "BAD_PAGE_TOKEN", kind: "invalid" });
  });

  it("binds page tokens to filter and sort", async () => {
    const api = spread(3);
    const { nextPageToken } = await list(api, { pageSize: 1 });
    await assert.rejects(
      list(api, { pageToken: nextPageToken, filter: ServerFilter.fromPartial({ keyName: "k" }) }),
      { reason: "BAD_PAGE_TOKEN" },
    );
  });

  it("reads the global database before the cells", async () => {
    const api = spread(1);
    await list(api);
    assert.deepEqual(
      api.cells.calls.filter((call) => call.startsWith("listInstances"))[0],
      "listInstances global",
    );
  });

  it("names silent cells and shows what is known of their servers", async () => {
    const api = spread(8);
    api.cells.silent.add("cell2");
    const first = await list(api);
    assert.deepEqual(first.unreachableCells, ["cell2"]);
    assert.deepEqual(
      first.downCellServers.map((one) => [one.id, one.name]),
      [
        [uuid(3), ""],
        [uuid(7), ""],
      ],
    );
    assert.equal(first.servers.length, 6);
    api.cells.silent.clear();
    assert.deepEqual((await list(api)).unreachableCells, []);
    assert.equal((await list(api)).servers.length, 8);
  });

  it("keeps tenants to their project and lets administrators see all or one", async () => {
    const api = spread(2);
    api.cells.put("cell1", { id: uuid(50), projectId: "p2", createdAt: at(50) });
    assert.deepEqual(ids(await list(api, {}, stranger)), [uuid(50)]);
    assert.deepEqual(ids(await list(api, { allProjects: true }, administrator)).length, 3);
    assert.deepEqual(
      ids(
        await list(
          api,
          { allProjects: true, filter: ServerFilter.fromPartial({ projectId: "p2" }) },
          administrator,
        ),
      ),
      [uuid(50)],
    );
    assert.deepEqual(
      ids(await list(api, { filter: ServerFilter.fromPartial({ projectId: "p1" }) }, administrator)),
      [],
    );
    await assert.rejects(list(api, { allProjects: true }), {
      message: "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed.",
    });
    await assert.rejects(list(api, { allProjects: true, brief: true }), {
      message: "Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed.",
    });
  });

  it("shows nothing to tokens without project, whatever policy allows them", async () => {
    const api = anApi({
      policy: `{"os_compute_api:servers:detail": "@", "os_compute_api:servers:show": "@"}`,
    });
    api.cells.put("cell1", { id: A });
    const unscoped = { ...member, projectId: "" };
    assert.deepEqual(ids(await list(api, {}, unscoped)), []);
    await assert.rejects(servers(api).getServer(as(unscoped), { serverId: A }), {
      reason: "SERVER_NOT_FOUND",
    });
  });

  it("refuses filters that need a right, or drops them as REST does", async () => {
    const api = spread(1);
    const filter = ServerFilter.fromPartial({
      host: "h1",
      keyName: "k",
      deleted: true,
      vmStates: [VmState.VM_STATE_ACTIVE],
    });
    await assert.rejects(list(api, { filter }), { kind: "forbidden" });
    await listAsNova(api, { filter }, { dropForbiddenFilters: true });
    const sent = (api.cells.requests.get("listInstances") as ListInstancesRequest).filter;
    assert.deepEqual(
      [sent?.host, sent?.keyName, sent?.deleted, sent?.vmStates],
      [undefined, "k", undefined, [VmState.VM_STATE_ACTIVE]],
    );
    await list(api, { filter }, administrator);
    assert.equal((api.cells.requests.get("listInstances") as ListInstancesRequest).filter?.host, "h1");
  });

  it("turns the state DELETED into the filter for deleted servers, for administrators", async () => {
    const api = spread(1);
    const filter = ServerFilter.fromPartial({ vmStates: [VmState.VM_STATE_DELETED] });
    await assert.rejects(list(api, { filter }), {
      kind: "forbidden",
      message: "Only administrators may list deleted instances",
    });
    await list(api, { filter }, administrator);
    const sent = (api.cells.requests.get("listInstances") as ListInstancesRequest).filter;
    assert.deepEqual([sent?.deleted, sent?.vmStates], [true, []]);
  });

  it("refuses bad regular expressions, contradicting times and unknown sort keys", async () => {
    const api = spread(1);
    await assert.rejects(list(api, { filter: ServerFilter.fromPartial({ nameRegex: "(" }) }), {
      reason: "INVALID_REQUEST",
    });
    await assert.rejects(
      list(api, { filter: ServerFilter.fromPartial({ changesSince: at(2), changesBefore: at(1) }) }),
      { reason: "INVALID_REQUEST" },
    );
    const { SERVER_SORT_FIELD_UNSPECIFIED: nothing, SERVER_SORT_FIELD_HOST: host } = ServerSortField;
    await assert.rejects(list(api, { sort: [{ field: nothing, direction: 1 }] }), {
      reason: "INVALID_REQUEST",
    });
    await assert.rejects(list(api, { sort: [{ field: host, direction: 1 }] }), { kind: "forbidden" });
  });

  it("asks nobody for a filter that cannot match", async () => {
    const api = spread(1);
    assert.deepEqual(ids(await listAsNova(api, {}, { matchNothing: true })), []);
    assert.deepEqual(api.cells.calls, []);
  });
});

/** Id of a flavor that servers may be resized to. */
const OTHER_FLAVOR = "other";

/**
 * A server in a state from which operations of the kind start, on a host that can do everything; it has come
 * there with a move.
 */
function putFit(api: TestApi, kind: string): void {
  const declaration = catalogue.find(kind);
  assert.ok(declaration);
  const [vmState = VmState.VM_STATE_ACTIVE] = formOf(declaration, new Uint8Array()).vmStates ?? [];
  api.cells.setNodes("cell1", [
    ComputeNode.fromPartial({
      id: "n1",
      host: "h1",
      capabilities: catalogue.all.flatMap(({ capability }) => capability ?? []),
    }),
  ]);
  const image = { id: anImage().id, properties: new Map([["hw_qemu_guest_agent", "yes"]]) };
  api.images.set(image.id, anImage());
  api.cells.flavors.set(OTHER_FLAVOR, aFlavor({ id: OTHER_FLAVOR, name: OTHER_FLAVOR }));
  const kindOfMove = MigrationKind.MIGRATION_KIND_RESIZE;
  api.cells.putMigration(
    "cell1",
    MigrationRecord.fromPartial({ id: uuid(9), serverId: A, kind: kindOfMove, status: "finished" }),
  );
  const server = { id: A, vmState, hostInfo: onHost, flavor: aFlavor(), image };
  api.cells.put("cell1", server, { spec: ServerSpec.fromPartial({ image }) });
}

describe("actions on servers", () => {
  const accepted = (api: TestApi): AcceptOperationRequest =>
    api.cells.requests.get("acceptOperation") as AcceptOperationRequest;

  it("accepts a stop where the record is, in the newest version of its kind", async () => {
    const api = anApi();
    putFit(api, "server.stop");
    const { operation } = await servers(api).stopServer(as(member), { serverId: A, clientToken: "t" });
    assert.equal(operation?.kind, "server.stop");
    const { database, method, kind, kindVersion, bypassLock, projectId, clientToken } = accepted(api);
    assert.deepEqual(
      { database, method, kind, kindVersion, bypassLock, projectId, clientToken },
      {
        database: "cell1",
        method: "StopServer",
        kind: "server.stop",
        kindVersion: 1,
        bypassLock: false,
        projectId: "p1",
        clientToken: "t",
      },
    );
  });

  it("serves every method that a declaration names", async () => {
    /** What some cannot be asked without. */
    const NEEDED: Readonly<Record<string, object>> = {
      "server.change-password": { adminPassword: "p" },
      "server.create-backup": { name: "n", backupType: "daily", rotation: 1 },
      "server.create-image": { name: "n" },
      "server.rebuild": { imageId: anImage().id },
      "server.reset-state": { vmState: VmState.VM_STATE_ERROR },
      "server.resize": { flavorId: OTHER_FLAVOR },
    };
    /** Those that answer the server instead of the operation: it is done by then. */
    const ANSWERS_SERVER = new Set(["server.reset-state"]);
    // They have services of their own: interfaces.test.ts, volume-attachments.test.ts.
    const elsewhere = new Set<string | undefined>(["ports", "volumes"]);
    const onServers = catalogue.all.filter(
      (one) => subjectOf(one) === "server" && one.kind !== "server.boot" && !elsewhere.has(one.lane),
    );
    for (const { methods, kind } of onServers)
      for (const { name: method } of methods) {
        const api = aReadyApi();
        putFit(api, kind);
        const key = `${method[0]?.toLowerCase()}${method.slice(1)}` as "stopServer";
        const { operation } = await servers(api)[key](as(administrator), { serverId: A, ...NEEDED[kind] });
        assert.equal(operation?.kind, ANSWERS_SERVER.has(kind) ? undefined : kind);
        assert.deepEqual([accepted(api).kind, accepted(api).method], [kind, method]);
      }
  });

  it("lets administrators pass locks on servers of every project", async () => {
    const api = anApi();
    putFit(api, "server.start");
    await servers(api).startServer(as(administrator), { serverId: A });
    assert.deepEqual([accepted(api).bypassLock, accepted(api).projectId], [true, ""]);
  });

  it("deletes by force as it deletes, under a rule and for a token of its own", async () => {
    const api = anApi();
    api.cells.put("cell1", { id: A });
    await servers(api).deleteServer(as(member), { serverId: A });
    const plain = accepted(api);
    await servers(api).forceDeleteServer(as(member), { serverId: A });
    const forced = accepted(api);
    assert.deepEqual([plain.method, forced.method], ["DeleteServer", "ForceDeleteServer"]);
    assert.deepEqual([plain.kind, forced.kind], ["server.delete", "server.delete"]);
    assert.deepEqual([plain.deferrable, forced.deferrable], [true, false], "only one of them for good");
    await assert.rejects(
      servers(api).forceDeleteServer(as({ ...member, roles: ["reader"] }), { serverId: A }),
      { message: "Policy doesn't allow os_compute_api:os-deferred-delete:force to be performed." },
    );
    await assert.rejects(servers(api).forceDeleteServer(as(stranger), { serverId: A }), {
      reason: "SERVER_NOT_FOUND",
    });
  });

  it("resets a server's state for administrators, and answers it as it is then", async () => {
    const api = anApi();
    api.cells.put("cell1", { id: A, vmState: VmState.VM_STATE_PAUSED, taskState: "unpausing" });
    const reset = (actor: Actor, vmState: VmState) =>
      servers(api).resetServerState(as(actor), { serverId: A, vmState });
    const { server, hiddenFields } = await reset(administrator, VmState.VM_STATE_ERROR);
    assert.deepEqual([server?.vmState, server?.taskState], [VmState.VM_STATE_ERROR, undefined]);
    assert.ok(!hiddenFields.includes("host_info"));
    const { kind, method, deferrable } = accepted(api);
    assert.deepEqual([kind, method, deferrable], ["server.reset-state", "ResetServerState", false]);
    for (const vmState of [VmState.VM_STATE_UNSPECIFIED, VmState.VM_STATE_STOPPED])
      await assert.rejects(reset(administrator, vmState), /vm_state/);
    await assert.rejects(reset(member, VmState.VM_STATE_ACTIVE), {
      message: "Policy doesn't allow os_compute_api:os-admin-actions:reset_state to be performed.",
    });
    await assert.rejects(reset(stranger, VmState.VM_STATE_ACTIVE), { reason: "SERVER_NOT_FOUND" });
  });

  it("tells hard reboots from soft ones, in the input and in what the token protects", async () => {
    const api = anApi();
    api.cells.put("cell1", { id: A });
    await servers(api).rebootServer(as(member), { serverId: A });
    const soft = accepted(api);
    await servers(api).rebootServer(as(member), { serverId: A, type: RebootType.REBOOT_TYPE_HARD });
    const hard = accepted(api);
    assert.deepEqual(
      [soft, hard].map(({ input }) => RebootInput.decode(input).hard),
      [false, true],
    );
    assert.notDeepEqual(soft.bodyHash, hard.bodyHash);
  });

  it("puts a password into the sealed part only", async () => {
    const api = anApi();
    putFit(api, "server.change-password");
    await servers(api).changeServerPassword(as(member), { serverId: A, adminPassword: "open sesame" });
    const { input, secrets } = accepted(api);
    assert.equal(input.length, 0);
    assert.deepEqual(ChangePasswordSecrets.decode(secrets), { adminPassword: "open sesame" });
  });

  it("takes an empty password, but not none", async () => {
    const api = anApi();
    putFit(api, "server.change-password");
    await assert.rejects(servers(api).changeServerPassword(as(member), { serverId: A }), {
      reason: "INVALID_REQUEST",
      violations: [{ field: "admin_password", description: "is required" }],
    });
    await servers(api).changeServerPassword(as(member), { serverId: A, adminPassword: "" });
    assert.deepEqual(ChangePasswordSecrets.decode(accepted(api).secrets), { adminPassword: "" });
  });

  it("needs one more rule for the other party's lock", async () => {
    const api = anApi();
    const unlock = (actor: Actor) => servers(api).unlockServer(as(actor), { serverId: A });
    api.cells.put("cell1", { id: A, lock: { lockedBy: "owner", reason: "" } });
    await unlock(member);
    api.cells.put("cell1", { id: A, lock: { lockedBy: "admin", reason: "" } });
    await assert.rejects(unlock(member), {
      message: "Policy doesn't allow os_compute_api:os-lock-server:unlock:unlock_override to be performed.",
    });
    await unlock(administrator);
  });

  it("needs it also for a lock that comes while its own, or none, is taken away", async () => {
    const api = anInterruptedApi();
    const { cells } = api;
    const becomes = (change: object) => {
      const { server } = cells.record("cell1", A);
      cells.put("cell1", { ...server, id: A, generation: (server?.generation ?? 0n) + 1n, ...change });
    };
    const own = { lockedBy: "owner", reason: "" };
    for (const lock of [own, undefined]) {
      cells.put("cell1", { id: A, lock });
      api.before(() => becomes({ lock: { lockedBy: "admin", reason: "" } }));
      await assert.rejects(servers(api).unlockServer(as(member), { serverId: A }), { reason: "FORBIDDEN" });
      assert.equal(cells.record("cell1", A).server?.lock?.lockedBy, "admin");
    }
    cells.put("cell1", { id: A, lock: own });
    api.before(() => becomes({ name: "anew" }));
    await servers(api).unlockServer(as(member), { serverId: A });
    assert.equal(cells.record("cell1", A).server?.lock, undefined);
  });

  it("refuses readers after the server was found, strangers before", async () => {
    const api = anApi();
    api.cells.put("cell1", { id: A });
    await assert.rejects(servers(api).stopServer(as({ ...member, roles: ["reader"] }), { serverId: A }), {
      message: "Policy doesn't allow os_compute_api:servers:stop to be performed.",
    });
    await assert.rejects(servers(api).stopServer(as(stranger), { serverId: A }), {
      reason: "SERVER_NOT_FOUND",
    });
    assert.equal(accepted(api), undefined);
  });
});

describe("updateServer", () => {
  it("changes what the mask names", async () => {
    const api = anApi();
    api.cells.put("cell1", { id: A, name: "old", description: "d", hasDescription: true });
    const { server } = await servers(api).updateServer(as(member), {
      serverId: A,
      server: { name: "new" },
      updateMask: ["name"],
    });
    assert.deepEqual([server?.name, server?.description], ["new", "d"]);
  });
  it("refuses other fields, an empty name and an empty mask", async () => {
    const api = anApi();
    api.cells.put("cell1", { id: A });
    for (const [server, updateMask] of [
      [{ projectId: "p2" }, ["project_id"]],
      [{ name: "" }, ["name"]],
      [{}, []],
    ] as const) {
      await assert.rejects(
        servers(api).updateServer(as(member), { serverId: A, server, updateMask: [...updateMask] }),
        { reason: "INVALID_REQUEST" },
      );
    }
  });
});

describe("getConsoleOutput", () => {
  it("asks the agent of the server's host", async () => {
    const api = anApi();
    withHost(api);
    const refuse = async (): Promise<never> => {
      throw CommonErrors.UNIMPLEMENTED({ what: "this" });
    };
    const all = Object.fromEntries(
      Object.keys(AgentServiceDefinition.methods).map((key) => [key, refuse]),
    ) as unknown as Handlers<AgentServiceDefinition>;
    api.network.listen("agent:h1", [
      bindService(AgentServiceDefinition, {
        ...all,
        getConsoleLog: async (_ctx, { host, serverId }) => ({
          output: Buffer.from(`${host}\n${serverId}\nlogin:\n`),
        }),
      }),
    ]);
    api.cells.put("cell1", { id: A, hostInfo: onHost });
    assert.equal(
      (await servers(api).getConsoleOutput(as(member), { serverId: A, lines: 1 })).output,
      "login:",
    );
  });
  it("is not ready without a host", async () => {
    const api = anApi();
    api.cells.put("global", { id: A });
    await assert.rejects(servers(api).getConsoleOutput(as(member), { serverId: A }), {
      kind: "refused",
      message: `Instance ${A} is not ready`,
    });
  });
});

describe("the server's password", () => {
  it("is what the guest posted, for its project's readers, until a member clears it", async () => {
    const api = anApi();
    api.cells.put("cell1", { id: A }, { serverPassword: "xlozO3wL" });
    const reader = { ...member, roles: ["reader"] };
    const read = async () =>
      (await servers(api).getServerPassword(as(reader), { serverId: A })).encryptedPassword;
    assert.equal(await read(), "xlozO3wL");
    await assert.rejects(servers(api).getServerPassword(as(stranger), { serverId: A }), {
      reason: "SERVER_NOT_FOUND",
    });
    await assert.rejects(servers(api).clearServerPassword(as(stranger), { serverId: A }), {
      reason: "SERVER_NOT_FOUND",
    });
    await assert.rejects(servers(api).clearServerPassword(as(reader), { serverId: A }), {
      kind: "forbidden",
    });
    assert.equal(await read(), "xlozO3wL");
    await servers(api).clearServerPassword(as(member), { serverId: A });
    assert.equal(await read(), undefined);
  });
});
