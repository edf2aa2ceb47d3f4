import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { InstancePort } from "../../gen/kilonova/cells/v1/instance_change.js";
import type { Timestamp } from "../../gen/google/protobuf/timestamp.js";
import { ServerHostInfo } from "../../gen/kilonova/type/v1/server.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { hostZones } from "../../pkg/cells/hosts/store/host-zones.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { toTimestamp } from "../../pkg/model/wire-time.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { registerAgent, startCellsService } from "./support/cells-service.js";

const compareTimes = (a: Timestamp | undefined, b: Timestamp | undefined): number =>
  Number((a?.seconds ?? 0n) - (b?.seconds ?? 0n)) || (a?.nanos ?? 0) - (b?.nanos ?? 0);

describe("hosts", () => {
  it("get an epoch for each process, and the older process is refused", async () => {
    const s = await startCellsService();
    const first = await registerAgent(s, "h1");
    const second = await registerAgent(s, "h1");
    assert.deepEqual(
      [first.epoch, second.epoch, first.computeNodeId === second.computeNodeId],
      [1n, 2n, true],
    );
    assert.equal((await registerAgent(s, "h1", 2n)).epoch, 2n);
    await assert.rejects(registerAgent(s, "h1", 1n), { reason: "STALE_EPOCH" });
    await s.close();
  });

  it("are up by their lease, not by what is written, and down when forced", async () => {
    const s = await startCellsService();
    const { serviceId } = await registerAgent(s, "h1");
    const up = async () => (await s.hosts.listHosts(testCtx(), { cell: "cell1" })).services[0]?.up;
    assert.equal(await up(), false);
    s.alive.add("h1");
    assert.equal(await up(), true);
    await s.hosts.updateHostService(testCtx(), { cell: "cell1", serviceId, forcedDown: true });
    assert.equal(await up(), false);
    await s.close();
  });

  it("are seen and measured at each report, of the process that is registered, for nobody's feed", async () => {
    const s = await startCellsService();
    const first = await registerAgent(s, "h1");
    const { epoch, serviceId, serviceGeneration } = await registerAgent(s, "h1");
    const report = (by: bigint, uptime: string, host = "h1") =>
      s
        .as("compute", "h1")
        .client(HostsServiceDefinition)
        .reportHost(testCtx(), { cell: "cell1", host, epoch: by, telemetry: { uptime, diskFreeGib: 7n } });
    const shown = async () => {
      const { nodes, services } = await s.hosts.listHosts(testCtx(), { cell: "cell1" });
      return { ...nodes[0], seen: services[0]?.lastSeenAt };
    };
    const before = await shown();
    const rows = async () =>
      (
        await s.store.db.statement(testCtx(), "test", (db) =>
          sql`SELECT entity_id, generation FROM ${s.store.t.outbox} ORDER BY entity_id, generation`.execute(
            db,
          ),
        )
      ).rows;
    const fed = await rows();
    // The older process's report counts for nothing, also beside one that does.
    assert.deepEqual(
      (await Promise.all([report(epoch, " up 1 day"), report(first.epoch, " up 9 days")])).map(
        ({ serviceGeneration: told }) => told,
      ),
      [serviceGeneration, 0n],
    );
    const after = await shown();
    assert.deepEqual([after.uptime, after.diskAvailableLeastGib], [" up 1 day", 7n]);
    assert.ok(compareTimes(after.seen, before.seen) > 0);
    assert.deepEqual(await rows(), fed);
    await assert.rejects(report(epoch, "", "h2"), { reason: "WRONG_HOST" });
    await s.hosts.updateHostService(testCtx(), { cell: "cell1", serviceId, disabled: true });
    assert.equal((await report(epoch, "")).serviceGeneration, serviceGeneration + 1n);
    await s.hosts.deleteHostService(testCtx(), { cell: "cell1", serviceId });
    assert.equal((await report(epoch, "")).serviceGeneration, 0n);
    await s.close();
  });

  it("tell placement their inventory, and that they are disabled", async () => {
    const s = await startCellsService();
    const { serviceId } = await registerAgent(s, "h1");
    await registerAgent(s, "h1", 1n, []);
    await s.hosts.updateHostService(testCtx(), {
      cell: "cell1",
      serviceId,
      disabled: true,
      disabledReason: "repair",
    });
    assert.deepEqual(
      s.synced.map(({ root }) => root?.traits),
      [["HW_CPU_X86_VMX"], [], ["COMPUTE_STATUS_DISABLED"]],
    );
    assert.deepEqual(s.synced[1]?.managedTraits, ["COMPUTE_STATUS_DISABLED", "HW_CPU_X86_VMX"]);
    assert.deepEqual(
      s.synced[0]?.root?.inventories.map(({ resourceClass, total }) => [resourceClass, total]),
      [
        ["VCPU", 8n],
        ["MEMORY_MB", 1024n],
        ["DISK_GB", 10n],
      ],
    );
    await s.close();
  });

  it("may not be spoken for by others, and stay while they have servers", async () => {
    const s = await startCellsService();
    const { serviceId } = await registerAgent(s, "h1");
    await assert.rejects(
      s
        .as("compute", "h2")
        .client(HostsServiceDefinition)
        .listHostInstances(testCtx(), { cell: "cell1", host: "h1" }),
      { reason: "WRONG_HOST" },
    );
    await putInstance(
      s.store,
      testCtx(),
      aServer({
        id: randomUUID(),
        hostInfo: {
          host: "h1",
          node: "h1",
          instanceName: "",
          cell: "cell1",
          computeNodeUuid: "",
          launchedOn: "",
          kernelId: "",
          ramdiskId: "",
          rootDeviceName: "",
        },
      }),
    );
    assert.equal((await s.hosts.listHosts(testCtx(), { cell: "cell1" })).nodes[0]?.vcpusUsed, 1);
    await assert.rejects(s.hosts.deleteHostService(testCtx(), { cell: "cell1", serviceId }), {
      reason: "SERVICE_HAS_INSTANCES",
    });
    await s.close();
  });
});

describe("deleted servers", () => {
  it("are told to the host that asks only when their record proves it", async () => {
    const s = await startCellsService();
    const [deleted, alive, owned, unknown] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const deletedAt = toTimestamp(1_767_225_700_000_000n);
    await putInstance(s.store, testCtx(), aServer({ id: deleted, deletedAt }));
    await putInstance(s.store, testCtx(), aServer({ id: alive }));
    await putInstance(
      s.store,
      testCtx(),
      aServer({ id: owned, deletedAt, currentOperation: `operations/${owned}/${randomUUID()}` }),
    );
    const hosts = s.as("compute", "h1").client(HostsServiceDefinition);
    const answer = await hosts.findDeletedInstances(testCtx(), {
      cell: "cell1",
      host: "h1",
      serverIds: [deleted, alive, owned, unknown],
    });
    assert.deepEqual(
      answer.deleted.map(({ serverId }) => serverId),
      [deleted],
    );
    await assert.rejects(
      hosts.findDeletedInstances(testCtx(), { cell: "cell1", host: "h2", serverIds: [deleted] }),
      { reason: "WRONG_HOST" },
    );
    await assert.rejects(
      hosts.findDeletedInstances(testCtx(), {
        cell: "cell1",
        host: "h1",
        serverIds: Array.from({ length: 501 }, () => deleted),
      }),
      { reason: "INVALID_ARGUMENT" },
    );
    await s.close();
  });
});

describe("ports that a server has lost", () => {
  it("leave its record and its addresses when its own host says so, and no operation owns it", async () => {
    const s = await startCellsService();
    const [server, busy] = [randomUUID(), randomUUID()];
    const ports = ["p1", "p2"].map((portId, at) =>
      InstancePort.fromPartial({
        portId,
        networkLabel: "net",
        addresses: [{ ipAddress: `10.0.0.${at + 1}`, version: 4, subnetId: "s" }],
      }),
    );
    const hostInfo = ServerHostInfo.fromPartial({ host: "h1", node: "h1", cell: "cell1" });
    await putInstance(s.store, testCtx(), aServer({ id: server, hostInfo }), ports);
    const currentOperation = `operations/${busy}/${randomUUID()}`;
    await putInstance(s.store, testCtx(), aServer({ id: busy, hostInfo, currentOperation }), ports);
    const report = async (host: string, serverId: string, speaker = host): Promise<boolean> =>
      (
        await s
          .as("compute", speaker)
          .client(HostsServiceDefinition)
          .reportLostPorts(testCtx(), { cell: "cell1", host, serverId, portIds: ["p1", "px"] })
      ).settled;
    const portsOf = async (serverId: string): Promise<string[]> => {
      const { instances } = await s
        .as("compute", "h1")
        .client(HostsServiceDefinition)
        .listHostInstances(testCtx(), { cell: "cell1", host: "h1" });
      const record = instances.find((one) => one.server?.id === serverId);
      return [
        ...(record?.ports ?? []).map(({ portId }) => portId),
        ...(record?.server?.addresses ?? []).map(({ address }) => address),
      ];
    };
    await assert.rejects(report("h1", server, "h2"), { reason: "WRONG_HOST" });
    await assert.rejects(report("h2", server), { reason: "SERVER_NOT_FOUND" });
    assert.equal(await report("h1", busy), false);
    assert.deepEqual((await portsOf(server)).slice(0, 2), ["p1", "p2"]);
    assert.deepEqual((await portsOf(busy)).slice(0, 2), ["p1", "p2"]);
    for (let times = 0; times < 2; times++) {
      assert.equal(await report("h1", server), true);
      assert.deepEqual(await portsOf(server), ["p2", "10.0.0.2"]);
    }
    await s.close();
  });
});

describe("aggregates", () => {
  it("keep names and the zones of hosts unique, tell their changes, and give hosts their zone", async () => {
    const s = await startCellsService();
    const create = (name: string, zone?: string) =>
      s.aggregates.createStoredAggregate(testCtx(), {
        aggregate: {
          id: randomUUID(),
          name,
          ...(zone === undefined
            ? {}
            : { availabilityZone: zone, metadata: new Map([["availability_zone", zone]]) }),
        },
      });
    await registerAgent(s, "h1");
    const [west, east] = [(await create("w", "west")).aggregate, (await create("e", "east")).aggregate];
    assert.deepEqual([west?.number, east?.number], [1n, 2n]);
    await assert.rejects(create("w"), { reason: "AGGREGATE_EXISTS", kind: "exists" });
    const update = (aggregateId: string, change: object) =>
      s.aggregates.updateStoredAggregate(testCtx(), { aggregateId, ...change });
    await assert.rejects(update("2", { name: "w" }), { reason: "AGGREGATE_EXISTS" });
    const zone = async () =>
      (await s.hosts.listHosts(testCtx(), { cell: "cell1" })).services.find(({ host }) => host === "h1")
        ?.availabilityZone;
    const before = await zone();
    // Two at the same time: the host is in one zone.
    const outcomes = await Promise.allSettled([
      update("1", { addHost: "h1" }),
      update(east?.id ?? "", { addHost: "h1" }),
    ]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    const winner = outcomes[0]?.status === "fulfilled" ? west : east;
    assert.equal(await zone(), winner?.availabilityZone);
    const number = winner?.number.toString() ?? "";
    await assert.rejects(s.aggregates.deleteStoredAggregate(testCtx(), { aggregateId: number }), {
      reason: "AGGREGATE_HAS_HOSTS",
    });
    assert.deepEqual(
      (await s.aggregates.listStoredAggregates(testCtx(), { host: "h1" })).aggregates.map(({ name }) => name),
      [winner?.name],
    );
    const page = await s.aggregates.listStoredAggregates(testCtx(), { pageSize: 1 });
    const next = await s.aggregates.listStoredAggregates(testCtx(), {
      pageSize: 1,
      pageToken: page.nextPageToken,
    });
    assert.deepEqual(
      [...page.aggregates, ...next.aggregates].map(({ name }) => name),
      ["w", "e"],
    );
    await update(number, { removeHost: "h1" });
    assert.equal(await zone(), before);
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { entries } of s.feed.watchFeed(testCtx({ signal: stop.signal }), {
        database: "global",
        afterRevision: 0n,
        entityKinds: ["aggregate"],
      }))
        seen.push(...entries.map(({ eventType }) => eventType));
    })().catch(() => {});
    await s.aggregates.deleteStoredAggregate(testCtx(), { aggregateId: number });
    await until(() => seen.length === 5, { what: "five events" });
    assert.deepEqual(seen, ["created", "created", "changed", "changed", "deleted"]);
    stop.abort();
    await watching;
    await s.close();
  });

  it("are read again for the zones of hosts only after another process has changed one", async () => {
    const s = await startCellsService();
    const reads: string[] = [];
    const { db } = s.globalStore;
    const elsewhere = hostZones({
      ...s.globalStore,
      db: Object.assign(Object.create(db) as typeof db, {
        statement: ((ctx, name, fn) => {
          reads.push(name);
          return db.statement(ctx, name, fn);
        }) satisfies typeof db.statement,
      }),
    });
    const zoneOf = async (host: string): Promise<{ zone: string | undefined; reads: string[] }> => {
      reads.length = 0;
      return { zone: (await elsewhere(testCtx())).get(host), reads: [...reads] };
    };
    const [cheap, full] = [["aggregates.changes"], ["aggregates.changes", "aggregates.list"]];
    assert.deepEqual(await zoneOf("h1"), { zone: undefined, reads: full });
    assert.deepEqual(await zoneOf("h1"), { zone: undefined, reads: cheap });
    await s.aggregates.createStoredAggregate(testCtx(), {
      aggregate: {
        id: randomUUID(),
        name: "w",
        availabilityZone: "west",
        metadata: new Map([["availability_zone", "west"]]),
      },
    });
    await s.aggregates.updateStoredAggregate(testCtx(), { aggregateId: "1", addHost: "h1" });
    assert.deepEqual(await zoneOf("h1"), { zone: "west", reads: full });
    assert.deepEqual(await zoneOf("h1"), { zone: "west", reads: cheap });
    await s.aggregates.updateStoredAggregate(testCtx(), { aggregateId: "1", removeHost: "h1" });
    assert.deepEqual(await zoneOf("h1"), { zone: undefined, reads: full });
    await s.aggregates.deleteStoredAggregate(testCtx(), { aggregateId: "1" });
    assert.deepEqual((await zoneOf("h1")).reads, full);
    await s.close();
  });
});
