import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  EventType,
  EventsServiceDefinition,
  OperationsServiceDefinition,
} from "../../gen/kilonova/api/v1/operations_service.js";
import type { WatchEventsResponse } from "../../gen/kilonova/api/v1/operations_service.js";
import { FlavorsServiceDefinition } from "../../gen/kilonova/api/v1/flavors_service.js";
import {
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
} from "../../gen/kilonova/api/v1/hosts_service.js";
import { KeyPairsServiceDefinition } from "../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  InstanceActionsServiceDefinition,
  LimitsServiceDefinition,
} from "../../gen/kilonova/api/v1/limits_service.js";
import {
  ServerFilter,
  ServerSortField,
  ServersServiceDefinition,
} from "../../gen/kilonova/api/v1/servers_service.js";
import { NovaListsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_lists_service.js";
import type { CreateServersRequest } from "../../gen/kilonova/api/v1/servers_service.js";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { Operation } from "../../gen/kilonova/type/v1/operation.js";
import { InitiatorKind, OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { ServerHostInfo, VmState } from "../../gen/kilonova/type/v1/server.js";
import {
  administrator,
  aFlavor,
  aNetwork,
  anApi,
  anImage,
  as,
  member,
  stranger,
} from "../../pkg/api/testing/an-api.js";
import type { TestApi } from "../../pkg/api/testing/an-api.js";
import { buildCells, cellMigrations, cellsConfig, globalMigrations } from "../../pkg/cells/index.js";
import { serviceActor, silentLogger } from "../../pkg/kernel/index.js";
import { toDuration } from "../../pkg/model/wire-time.js";
import type { FeedTables } from "../../pkg/platform/db/feed/index.js";
import { systemClock, systemIds } from "../../pkg/platform/process/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";

/** The api over a real cells service and PostgreSQL; the test plays the conductor. */
describe("integration: api and cells", () => {
  let api: TestApi;
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();

  before(async () => {
    const global = await testDatabase(globalMigrations);
    const cells = await Promise.all(
      ["cell0", "cell1"].map(async (name, i) => ({
        name,
        uuid: `00000000-0000-4000-8000-00000000000${i}`,
        database: (await testDatabase(cellMigrations)).open<FeedTables>(),
      })),
    );
    const service = buildCells({
      global: global.open<FeedTables>(),
      cells,
      clock: systemClock,
      ids: systemIds,
      log: silentLogger,
      config: cellsConfig.parse({ maxInstances: 6 }),
      secretKeys: [{ id: "1", key: Buffer.alloc(32, 7) }],
      waker: { wake: () => {} },
      liveness: { isAlive: () => true },
      sequencerOwner: "test",
      placement: {
        syncProviderTree: async () => ({ generation: 1n }) as never,
        deleteProvider: async () => ({}),
      },
    });
    api = anApi({ cellsBindings: service.bindings, config: { bookmarkIntervalMs: 200, hostListTtlMs: 0 } });
    api.images.set(anImage().id, anImage());
    api.networks.push(aNetwork());
    running = service
      .start(testCtx({ actor: serviceActor("cells"), signal: stop.signal, deadlineMs: undefined }))
      .catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
    api.service.start(testCtx({ actor: serviceActor("api"), deadlineMs: undefined }));
    await api.channel.client(FlavorsServiceDefinition).createFlavor(as(administrator), { flavor: aFlavor() });
  });

  after(async () => {
    await api.service.close();
    stop.abort();
    await running;
  });

  const servers = () => api.channel.client(ServersServiceDefinition);
  const conductor = () => api.network.connect("cells", { service: "conductor", host: "" });
  const store = () => conductor().client(OperationStoreServiceDefinition);
  const asConductor = () => testCtx({ actor: serviceActor("conductor") });
  const create = (wish: Partial<CreateServersRequest> = {}, actor = member) =>
    servers().createServers(as(actor), { name: "vm", flavorId: "1", imageId: anImage().id, ...wish });

  async function acquire(
    database: string,
    name: string,
  ): Promise<StoredOperation & { readonly instance: InstanceRecord }> {
    const kinds = ["server.boot", "server.stop", "server.delete"].map((kind) => ({ kind, version: 1 }));
    const {
      operations: [operation],
      instances: [instance],
    } = await store().acquireOperations(asConductor(), {
      database,
      owner: "test",
      kinds,
      limit: 1,
      ownership: toDuration(60_000),
      names: [name],
    });
    assert.ok(operation && instance, `nobody could acquire ${name}`);
    return { ...operation, instance };
  }

  /** The first half of a hand-over to cell1, up to the commit that decides: the server is asleep there. */
  async function leaveFor(name: string): Promise<void> {
    const operation = await acquire("global", name);
    const change = {
      server: {
        taskState: "spawning",
        hostInfo: ServerHostInfo.fromPartial({ host: "h1", node: "n1", cell: "cell1" }),
      },
      updateMask: ["task_state", "host_info"],
    };
    await store().prepareHandover(asConductor(), {
      database: "cell1",
      sourceDatabase: "global",
      operation,
      change,
      instance: Buffer.from(InstanceRecord.encode(operation.instance).finish()),
      fence: operation.fence,
    });
    await store().commitHandover(asConductor(), {
      database: "global",
      name,
      fence: operation.fence,
      targetDatabase: "cell1",
    });
  }

  /** Moves a booting server to cell1 and finishes its boot there, as a conductor would. */
  async function boot(name: string): Promise<void> {
    await leaveFor(name);
    await store().activateHandover(asConductor(), { database: "cell1", name });
    const { fence } = await acquire("cell1", name);
    const now = { seconds: 1_767_225_600n, nanos: 0 };
    await store().commitStep(asConductor(), {
      database: "cell1",
      name,
      fence,
      state: OperationState.OPERATION_STATE_SUCCEEDED,
      release: true,
      steps: [
        {
          name: "build-guest",
          state: "done",
          attempts: 1,
          startedAt: now,
          finishedAt: now,
          event: "compute__do_build_and_run_instance",
          host: "h1",
        },
      ],
      change: {
        server: { vmState: VmState.VM_STATE_ACTIVE, taskState: "", launchedAt: now },
        updateMask: ["vm_state", "task_state", "launched_at"],
      },
    });
  }

  it("creates, boots over a hand-over, shows, changes, stops and deletes, while a watcher sees each state once", async () => {
    const seen: WatchEventsResponse[] = [];
    const watching = new AbortController();
    const watch = (async () => {
      for await (const event of api.channel
        .client(EventsServiceDefinition)
        .watchEvents(as(member, { signal: watching.signal, deadlineMs: undefined }), {}))
        seen.push(event);
    })().catch((error: unknown) => {
      if (!watching.signal.aborted) throw error;
    });
    await until(() => seen.length > 0, { what: "the first bookmark" });

    const {
      servers: [made],
      operations: [booting],
    } = await create({ metadata: new Map([["a", "b"]]), userData: Buffer.from("hello") });
    const id = made?.id ?? "";
    const shown = async () => (await servers().getServer(as(member), { serverId: id })).server;
    assert.deepEqual(
      [(await shown())?.vmState, (await shown())?.metadata.get("a")],
      [VmState.VM_STATE_BUILDING, "b"],
    );
    const waiting = api.channel
      .client(OperationsServiceDefinition)
      .waitOperation(as(member), { name: booting?.name ?? "", timeout: toDuration(8_000) });
    await boot(booting?.name ?? "");
    assert.equal((await waiting).operation?.state, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.equal((await shown())?.vmState, VmState.VM_STATE_ACTIVE);
    assert.deepEqual(
      (await servers().listServers(as(member), {})).servers.map((one) => one.id),
      [id],
    );
    const full = await servers().getServer(as(administrator), {
      serverId: id,
      withHostInfo: true,
      withUserData: true,
    });
    assert.deepEqual([full.server?.hostInfo?.host, full.server?.userData?.toString()], ["h1", "hello"]);

    assert.equal(
      (
        await servers().updateServer(as(member), {
          serverId: id,
          server: { name: "renamed" },
          updateMask: ["name"],
        })
      ).server?.name,
      "renamed",
    );
    await servers().stopServer(as(member), { serverId: id });
    await assert.rejects(servers().startServer(as(member), { serverId: id }), {
      kind: "refused",
      message: `Cannot 'start' instance ${id} while it is in vm_state active`,
    });
    const first = await servers().deleteServer(as(member), { serverId: id });
    const second = await servers().deleteServer(as(member), { serverId: id });
    assert.equal(second.operation?.name, first.operation?.name);
    const { fence } = await acquire("cell1", first.operation?.name ?? "");
    await store().commitStep(asConductor(), {
      database: "cell1",
      name: first.operation?.name ?? "",
      fence,
      state: OperationState.OPERATION_STATE_SUCCEEDED,
      release: true,
      change: { deleteRecord: true, updateMask: [], server: {} },
    });
    await assert.rejects(servers().getServer(as(member), { serverId: id }), { reason: "SERVER_NOT_FOUND" });

    await until(() => seen.some((event) => event.type === EventType.EVENT_TYPE_SERVER_DELETED), {
      what: "the deletion's event",
    });
    watching.abort();
    await watch;
    const story = seen.filter((event) => event.server !== undefined);
    const generations = story.map((event) => event.server?.generation ?? 0n);
    assert.deepEqual(
      generations,
      [...new Set(generations)].sort((a, b) => Number(a - b)),
      "states came twice or out of order",
    );
    assert.equal(story.filter((event) => event.type === EventType.EVENT_TYPE_SERVER_DELETED).length, 1);
    assert.equal(story.at(-1)?.type, EventType.EVENT_TYPE_SERVER_DELETED);
    assert.ok(story.some((event) => event.server?.vmState === VmState.VM_STATE_ACTIVE));
    const { actions } = await api.channel
      .client(InstanceActionsServiceDefinition)
      .listInstanceActions(as(member), { serverId: id });
    assert.deepEqual(
      actions.map((one) => one.action),
      ["delete", "stop", "create"],
    );
    const eventsFor = async (actor: typeof member) => {
      const { action, hiddenFields } = await api.channel
        .client(InstanceActionsServiceDefinition)
        .getInstanceAction(as(actor), { serverId: id, requestId: actions[2]?.requestId ?? "" });
      return {
        events: action?.events.map(({ event, host, hostId }) => [event, host, hostId?.length]),
        hiddenFields,
      };
    };
    assert.deepEqual(await eventsFor(member), {
      events: [["compute__do_build_and_run_instance", undefined, 56]],
      hiddenFields: ["events.host", "events.traceback", "events.details"],
    });
    assert.deepEqual(await eventsFor(administrator), {
      events: [["compute__do_build_and_run_instance", "h1", 56]],
      hiddenFields: [],
    });
    await assert.rejects(eventsFor(stranger), { reason: "SERVER_NOT_FOUND" });
  });

  it("lists a project's operations at every moment of a hand-over, and watches on from the list", async () => {
    const owner = { ...member, userId: "u3", projectId: "p3" };
    const operations = () => api.channel.client(OperationsServiceDefinition);
    const list = async (request: Parameters<ReturnType<typeof operations>["listOperations"]>[1] = {}) => {
      const answer = await operations().listOperations(as(owner), request);
      assert.deepEqual(answer.unreachableCells, []);
      return answer;
    };
    const kinds = async (request = {}) => (await list(request)).operations.map(({ kind }) => kind);
    const {
      servers: [made],
      operations: [booting],
    } = await create({ name: "web" }, owner);
    const [serverId, name] = [made?.id ?? "", booting?.name ?? ""];
    assert.deepEqual(await kinds(), ["server.boot"]);
    const { resumeToken } = await list({ withResumeToken: true });
    await leaveFor(name);
    assert.deepEqual(await kinds(), ["server.boot"]);
    await store().activateHandover(asConductor(), { database: "cell1", name });
    assert.deepEqual(await kinds({ states: [OperationState.OPERATION_STATE_RUNNING] }), ["server.boot"]);
    const { fence } = await acquire("cell1", name);
    await store().commitStep(asConductor(), {
      database: "cell1",
      name,
      fence,
      state: OperationState.OPERATION_STATE_SUCCEEDED,
      release: true,
      change: {
        server: { vmState: VmState.VM_STATE_ACTIVE, taskState: "", launchedAt: { seconds: 1n, nanos: 0 } },
        updateMask: ["vm_state", "task_state", "launched_at"],
      },
    });
    const operator = { ...administrator, projectId: "adm" };
    const { operation: stop } = await servers().stopServer(as(operator), { serverId });
    await servers().deleteServer(as(owner), { serverId });

    assert.deepEqual(await kinds(), ["server.delete", "server.stop", "server.boot"]);
    assert.deepEqual(await kinds({ kinds: ["server.stop"] }), ["server.stop"]);
    assert.deepEqual(await kinds({ serverId }), ["server.delete", "server.stop", "server.boot"]);
    const [deletion, stopped, boot] = (await list()).operations;
    assert.deepEqual(boot?.metadata?.asked, {
      $case: "createServer",
      value: { name: "web", flavorId: "1", imageId: anImage().id },
    });
    const { result } = boot;
    assert.ok(result?.outcome?.$case === "server" && result.outcome.value.id === serverId);
    assert.deepEqual([stopped?.name, stopped?.successor], [stop?.name, deletion?.name]);
    assert.deepEqual(
      [boot, stopped, deletion].map((one) => [one?.action, one?.initiator?.userId, one?.initiator?.kind]),
      [
        ["create", "u3", InitiatorKind.INITIATOR_KIND_PROJECT],
        ["stop", "root", InitiatorKind.INITIATOR_KIND_OPERATOR],
        ["delete", "u3", InitiatorKind.INITIATOR_KIND_PROJECT],
      ],
    );

    // Pages of one hold the same list, and their tokens are good for nobody else's.
    const paged: string[] = [];
    for (let pageToken = "", first = true; first || pageToken !== ""; first = false) {
      const page = await list({ pageSize: 1, pageToken });
      paged.push(...page.operations.map(({ kind }) => kind));
      pageToken = page.nextPageToken;
      if (pageToken !== "")
        await assert.rejects(operations().listOperations(as(stranger), { pageSize: 1, pageToken }), {
          reason: "BAD_PAGE_TOKEN",
        });
    }
    assert.deepEqual(paged, ["server.delete", "server.stop", "server.boot"]);
    assert.ok(
      (await operations().listOperations(as(stranger), {})).operations.every(
        ({ projectId }) => projectId === stranger.projectId,
      ),
    );
    const everybody = await operations().listOperations(as(administrator), { allProjects: true });
    assert.ok(everybody.operations.some((one) => one.name === name));

    const told: Operation[] = [];
    const watching = new AbortController();
    for await (const { operation } of api.channel
      .client(EventsServiceDefinition)
      .watchEvents(as(owner, { signal: watching.signal, deadlineMs: undefined }), {
        resumeToken,
        withOperations: true,
      })) {
      if (operation !== undefined) told.push(operation);
      if (operation?.state === OperationState.OPERATION_STATE_PREEMPTED) break;
    }
    watching.abort();
    assert.deepEqual(told.at(-1), stopped);
    assert.deepEqual(
      told.findLast((one) => one.name === name),
      boot,
    );
  });

  it("answers the same token with the same servers and another body with a conflict", async () => {
    const [a, b] = await Promise.all([create({ clientToken: "t-1" }), create({ clientToken: "t-1" })]);
    assert.equal(a.servers[0]?.id, b.servers[0]?.id);
    assert.deepEqual([a.replayed, b.replayed].sort(), [false, true]);
    assert.deepEqual(
      [a.adminPassword, b.adminPassword].filter((password) => password === undefined).length,
      1,
    );
    await assert.rejects(create({ clientToken: "t-1", name: "other" }), { reason: "TOKEN_REUSED" });
  });

  it("answers a repeated creation also when what it referred to is gone", async () => {
    const wish = { clientToken: randomUUID(), name: "image-gone" };
    const first = await create(wish);
    const images = [...api.images];
    api.images.clear();
    const again = await create(wish);
    assert.deepEqual(
      [again.replayed, again.adminPassword, again.servers.map(({ id }) => id)],
      [true, undefined, first.servers.map(({ id }) => id)],
    );
    await assert.rejects(create({ ...wish, name: "another" }), { reason: "TOKEN_REUSED" });
    await assert.rejects(create({ ...wish, clientToken: randomUUID() }), { reason: "IMAGE_NOT_FOUND" });
    for (const [id, image] of images) api.images.set(id, image);
  });

  it("answers a repeated creation in the middle of a hand-over", async () => {
    const wish = { clientToken: randomUUID(), name: "between" };
    const first = await create(wish);
    await leaveFor(first.operations[0]?.name ?? "");
    const [second, third] = await Promise.all([create(wish), create(wish)]);
    for (const again of [second, third]) {
      assert.equal(again.replayed, true);
      assert.deepEqual(
        again.servers.map(({ id }) => id),
        first.servers.map(({ id }) => id),
      );
      assert.deepEqual(
        again.operations.map(({ name }) => name),
        first.operations.map(({ name }) => name),
      );
    }
  });

  it("makes as many servers as the quota allows, but not fewer than asked", async () => {
    const { limits } = await api.channel.client(LimitsServiceDefinition).getLimits(as(stranger), {});
    assert.deepEqual(
      limits.find((one) => one.name === "instances"),
      { name: "instances", limit: 6n, used: 0n },
    );
    api.networks.push(aNetwork({ id: "11111111-1111-4111-8111-999999999999", projectId: "p2" }));
    assert.equal((await create({ minCount: 1, maxCount: 8 }, stranger)).servers.length, 6);
    await assert.rejects(create({}, stranger), { reason: "QUOTA_EXCEEDED", kind: "quota" });
  });

  it("lists with sort, filter, pages and marker", async () => {
    const { servers: all } = await servers().listServers(as(stranger), {
      sort: [{ field: ServerSortField.SERVER_SORT_FIELD_NAME, direction: 1 }],
    });
    assert.deepEqual(
      all.map((one) => one.name),
      ["vm-1", "vm-2", "vm-3", "vm-4", "vm-5", "vm-6"],
    );
    const walked: string[] = [];
    for (let pageToken = "", first = true; first || pageToken !== ""; first = false) {
      const page = await servers().listServers(as(stranger), {
        sort: [{ field: ServerSortField.SERVER_SORT_FIELD_NAME, direction: 2 }],
        pageSize: 4,
        pageToken,
      });
      walked.push(...page.servers.map((one) => one.name));
      pageToken = page.nextPageToken;
    }
    assert.deepEqual(walked, ["vm-6", "vm-5", "vm-4", "vm-3", "vm-2", "vm-1"]);
    const rest = await api.channel.client(NovaListsServiceDefinition).listServers(as(stranger), {
      list: { sort: [{ field: ServerSortField.SERVER_SORT_FIELD_NAME, direction: 1 }] },
      nova: { marker: all[3]?.id ?? "" },
    });
    assert.deepEqual(
      rest.servers.map((one) => one.name),
      ["vm-5", "vm-6"],
    );
    const matched = await servers().listServers(as(stranger), {
      filter: ServerFilter.fromPartial({ nameRegex: "-[13]$" }),
      sort: [{ field: ServerSortField.SERVER_SORT_FIELD_ID, direction: 1 }],
    });
    assert.deepEqual(matched.servers.map((one) => one.name).sort(), ["vm-1", "vm-3"]);
  });

  it("keeps key pairs and flavors", async () => {
    const keys = api.channel.client(KeyPairsServiceDefinition);
    const { keyPair } = await keys.createKeyPair(as(member), {
      name: "k",
      publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
    });
    assert.equal((await keys.getKeyPair(as(member), { name: "k" })).keyPair?.id, keyPair?.id);
    await assert.rejects(keys.createKeyPair(as(member), { name: "k", publicKey: keyPair?.publicKey ?? "" }), {
      kind: "exists",
      message: "Key pair 'k' already exists.",
    });
    await keys.deleteKeyPair(as(member), { name: "k" });
    await assert.rejects(keys.getKeyPair(as(member), { name: "k" }), { reason: "KEY_PAIR_NOT_FOUND" });
    const flavors = api.channel.client(FlavorsServiceDefinition);
    await flavors.createFlavor(as(administrator), {
      flavor: aFlavor({ id: "priv", name: "priv", isPublic: false }),
    });
    await assert.rejects(flavors.getFlavor(as(member), { flavorId: "priv" }), { reason: "FLAVOR_NOT_FOUND" });
    await flavors.addFlavorAccess(as(administrator), { flavorId: "priv", projectId: "p1" });
    assert.equal((await flavors.getFlavor(as(member), { flavorId: "priv" })).flavor?.id, "priv");
    assert.deepEqual(
      (await flavors.listFlavors(as(member), {})).flavors.map((one) => one.id),
      ["1", "priv"],
    );
    assert.deepEqual(
      (await flavors.listFlavors(as(stranger), {})).flavors.map((one) => one.id),
      ["1"],
    );
    await flavors.setFlavorExtraSpecs(as(administrator), {
      flavorId: "1",
      extraSpecs: new Map([["hw:a", "1"]]),
    });
    await flavors.deleteFlavorExtraSpec(as(administrator), { flavorId: "1", key: "hw:a" });
    await assert.rejects(flavors.deleteFlavorExtraSpec(as(administrator), { flavorId: "1", key: "hw:a" }), {
      reason: "EXTRA_SPEC_NOT_FOUND",
    });
  });

  it("shows a host that registered, with its hypervisor, and disables it", async () => {
    const agent = api.network
      .connect("cells", { service: "compute", host: "h1", cell: "cell1" })
      .client(HostsServiceDefinition);
    await agent.registerHost(testCtx({ actor: serviceActor("compute", "h1") }), {
      cell: "cell1",
      service: { binary: "nova-compute", host: "h1", availabilityZone: "nova", address: "agent:h1" },
      node: {
        host: "h1",
        hypervisorHostname: "h1",
        hypervisorType: "QEMU",
        vcpus: 4,
        memoryMib: 2048n,
        diskGib: 20n,
      },
    });
    const { services } = await api.channel
      .client(ComputeServicesServiceDefinition)
      .listComputeServices(as(administrator), {});
    assert.deepEqual(
      services.map((one) => [one.host, one.zone, one.up, one.cell]),
      [["h1", "nova", true, "cell1"]],
    );
    const { service } = await api.channel
      .client(ComputeServicesServiceDefinition)
      .updateComputeService(as(administrator), {
        serviceId: services[0]?.id ?? "",
        disabled: true,
        disabledReason: "test",
      });
    assert.deepEqual([service?.disabled, service?.disabledReason], [true, "test"]);
    const { hypervisors } = await api.channel
      .client(HypervisorsServiceDefinition)
      .listHypervisors(as(administrator), { hostnamePattern: "h1" });
    assert.deepEqual(
      hypervisors.map((one) => [one.hypervisorHostname, one.vcpus, one.service?.disabled]),
      [["h1", 4, true]],
    );
  });
});
