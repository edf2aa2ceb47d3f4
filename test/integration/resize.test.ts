import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { EndMoveInput, MoveInput, ResetStateInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import type { MigrationRecord } from "../../gen/kilonova/cells/v1/server_records.js";
import type { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import { AgentServiceDefinition } from "../../gen/kilonova/compute/v1/agent_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { beginDue, confirming } from "../../pkg/cells/operations/due.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { fakeCinder } from "../../pkg/clients/cinder/testing/fake-cinder.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";
import { dueDeps } from "./support/due-deps.js";

const FROM = "a";
const TO = "b";
const {
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_CANCELLED: CANCELLED,
} = OperationState;
const {
  VM_STATE_ACTIVE: ACTIVE,
  VM_STATE_STOPPED: STOPPED,
  VM_STATE_RESIZED: RESIZED,
  VM_STATE_SOFT_DELETED: SOFT_DELETED,
  VM_STATE_DELETED: DELETED,
} = VmState;
const { POWER_STATE_RUNNING: RUNNING, POWER_STATE_SHUTDOWN: SHUTDOWN } = PowerState;

/** More processors and less memory than a server boots with here. */
const NEW = { id: "2", name: "m2.lean", vcpus: 2, memoryMib: 256, rootGib: 1 };

/** Of the project's quota; its servers have one each. */
const MOST_CORES = 1_000;

interface Rule {
  readonly method: string;
  readonly failReason?: string;
  readonly failMessage?: string;
  readonly delayMs?: number;
}
const failing = (method: string): Rule => ({ method, failReason: "HYPERVISOR_FAILED", failMessage: "No." });

describe("moving to another host while off", function () {
  this.timeout(300_000);
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  const cinder = fakeCinder();
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`resize_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("resize"),
      hosts: [FROM, TO],
      neutron,
      cinder,
      // A cancellation is seen when the wait for an agent is over.
      conductor: { agentWaitMs: 200 },
      cells: { maxCores: MOST_CORES },
    });
  });
  after(() => cloud.close());
  afterEach(() => script({ [FROM]: [], [TO]: [] }));

  const script = async (rules: Readonly<Record<string, readonly Rule[]>>): Promise<void> => {
    for (const [host, those] of Object.entries(rules))
      await cloud.agent(host, "operator").scriptFakeDriver(testCtx(), { host, rules: [...those] });
  };
  const server = async (way: readonly string[] = []): Promise<string> => {
    const id = randomUUID();
    await boot(cloud, { ids: [id], networks: [{ networkId: network.id }], host: FROM });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    for (const kind of way) await does(id, kind);
    return id;
  };
  const does = async (id: string, kind: string, input?: Uint8Array) => {
    await act(cloud, id, operationOf(kind), input === undefined ? {} : { input });
    return ended(cloud, id);
  };
  const asked = (input: object = { flavor: NEW }): Uint8Array =>
    MoveInput.encode(MoveInput.fromPartial(input)).finish();
  const resize = (id: string) => does(id, "server.resize", asked());
  const records = () => cloud.channel("conductor", "cells").client(ServerRecordsServiceDefinition);
  /** Newest first. */
  const migrations = async (serverId: string): Promise<MigrationRecord[]> => {
    const query = { database: "cell1", serverIds: [serverId], withDeleted: true };
    const { rows } = await records().listMigrations(testCtx(), query);
    return rows.flatMap(({ migration }) => migration ?? []);
  };
  const newest = async (id: string): Promise<MigrationRecord> =>
    (await migrations(id))[0] ?? assert.fail("no migration");
  const ends = async (id: string, kind: string) => {
    const { id: migrationId } = await newest(id);
    return does(id, kind, EndMoveInput.encode({ migrationId }).finish());
  };
  const operation = async (id: string): Promise<StoredOperation> => {
    const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: id });
    return operations[0] ?? assert.fail("no operation");
  };
  const guest = (host: string, serverId: string) =>
    cloud.agent(host, "conductor").inspectGuest(testCtx(), { host, serverId });
  /** Whether each host has the guest, and how it is: undefined where there is none. */
  const guests = async (id: string): Promise<(PowerState | undefined)[]> =>
    Promise.all(
      [FROM, TO].map(async (host) => {
        const { defined, powerState } = await guest(host, id);
        return defined ? powerState : undefined;
      }),
    );
  const held = async (consumerId: string): Promise<string[]> => {
    const { consumers } = await cloud.placement.getAllocations(testCtx(), { consumerId });
    const { nodes } = await cloud.hosts.listHosts(testCtx(), { cell: "cell1", recordsOnly: true });
    return consumers.flatMap(({ allocations }) =>
      allocations.map(({ providerId, resources }) => {
        const host = nodes.find((node) => node.id === providerId)?.host;
        return `${host} ${resources.get("VCPU")} ${resources.get("MEMORY_MB")}`;
      }),
    );
  };
  /** What the server holds of its project's quota; settled just after an operation's end. */
  const holding = async (id: string): Promise<unknown> => {
    const { db, t } = cloud.stores[0] ?? assert.fail("no global database");
    await until(
      async () => {
        const open = await db.statement(testCtx(), "test.claims", (one) =>
          sql`SELECT 1 FROM ${t.quota_claim} WHERE server_id = ${id}`.execute(one),
        );
        return open.rows.length === 0;
      },
      { timeoutMs: 60_000, what: "the quota to be settled" },
    );
    const { rows } = await db.statement(testCtx(), "test.holding", (one) =>
      sql`SELECT cores, ram FROM ${t.quota_holding} WHERE server_id = ${id}`.execute(one),
    );
    return rows[0];
  };
  /** Names in the timeline of what was asked for with a request, in their order. */
  const eventsOf = async (serverId: string, requestId: string): Promise<string[]> => {
    const query = { database: "cell1", serverId, requestId };
    const { action } = await cloud.instances.getAction(testCtx(), query);
    return (action?.events ?? []).map(({ event }) => event);
  };
  const bindings = (id: string): (string | undefined)[] =>
    [...neutron.ports.values()]
      .filter(({ deviceId }) => deviceId === id)
      .map(({ bindingHostId }) => bindingHostId);
  /** All that must be as before when a move has come to nothing. */
  const standing = async (id: string): Promise<unknown> => {
    const { vmState, taskState, powerState, hostInfo, flavor, availabilityZone, addresses } = await serverOf(
      cloud,
      id,
    );
    return {
      state: [vmState, taskState, powerState],
      place: [hostInfo?.host, hostInfo?.node, availabilityZone, flavor?.id, addresses],
      guests: await guests(id),
      held: await held(id),
      kept: await Promise.all((await migrations(id)).map((one) => held(one.id))),
      bindings: bindings(id),
      holding: await holding(id),
    };
  };

  it("takes a running server there with its new flavor, and keeps what it was until its owner decides", async () => {
    const id = await server();
    const { launchedAt, addresses } = await serverOf(cloud, id);
    const requestId = `req-${randomUUID()}`;
    await act(cloud, id, operationOf("server.resize"), { input: asked(), requestId });
    const moved = await ended(cloud, id);
    assert.deepEqual(
      [moved.vmState, moved.taskState, moved.powerState, moved.hostInfo?.host, moved.flavor?.id],
      [RESIZED, "", RUNNING, TO, "2"],
    );
    assert.ok(moved.resizedAt !== undefined);
    assert.notDeepEqual(moved.launchedAt, launchedAt);
    assert.deepEqual(moved.addresses, addresses);
    const { status, source, target, oldFlavor, newFlavor, wasOff, id: migration } = await newest(id);
    assert.deepEqual(
      [status, source?.host, target?.host, oldFlavor?.id, newFlavor?.id, wasOff],
      ["finished", FROM, TO, "1", "2", false],
    );
    assert.deepEqual(await guests(id), [SHUTDOWN, RUNNING]);
    assert.deepEqual([await held(id), await held(migration)], [[`${TO} 2 256`], [`${FROM} 1 512`]]);
    assert.deepEqual([bindings(id), await holding(id)], [[TO], { cores: 2, ram: 512 }]);
    assert.deepEqual((await eventsOf(id, requestId)).sort(), [
      "cold_migrate",
      "compute_finish_resize",
      "compute_prep_resize",
      "compute_resize_instance",
      "conductor_migrate_server",
    ]);
  });

  it("is confirmed: the old host has nothing of it any more", async () => {
    const id = await server();
    await resize(id);
    const { id: migration } = await newest(id);
    const { vmState, taskState, powerState, hostInfo, resizedAt } = await ends(id, "server.confirm-resize");
    assert.deepEqual(
      [vmState, taskState, powerState, hostInfo?.host, resizedAt],
      [ACTIVE, "", RUNNING, TO, undefined],
    );
    assert.deepEqual(await guests(id), [undefined, RUNNING]);
    assert.deepEqual([await held(id), await held(migration)], [[`${TO} 2 256`], []]);
    assert.deepEqual([(await newest(id)).status, await holding(id)], ["confirmed", { cores: 2, ram: 256 }]);
  });

  it("is reverted: the server is what and where it was, with nothing left at the other host", async () => {
    const id = await server();
    const before = await standing(id);
    await resize(id);
    const { vmState } = await ends(id, "server.revert-resize");
    assert.equal(vmState, ACTIVE);
    assert.deepEqual(await standing(id), { ...(before as object), kept: [[]] });
    assert.equal((await newest(id)).status, "reverted");
    // And may go again.
    assert.equal((await resize(id)).vmState, RESIZED);
  });

  it("leaves a stopped server stopped, there and back, and there for good", async () => {
    for (const how of ["server.revert-resize", "server.confirm-resize"]) {
      const id = await server(["server.stop"]);
      const moved = await does(id, "server.migrate", asked({ excludeHosts: [FROM] }));
      assert.deepEqual(
        [moved.vmState, moved.powerState, moved.hostInfo?.host, moved.flavor?.id],
        [RESIZED, SHUTDOWN, TO, "1"],
      );
      assert.deepEqual(await guests(id), [SHUTDOWN, SHUTDOWN]);
      const { vmState, powerState } = await ends(id, how);
      assert.deepEqual([vmState, powerState], [STOPPED, SHUTDOWN]);
      const started = await does(id, "server.start");
      assert.deepEqual([started.vmState, started.powerState], [ACTIVE, RUNNING]);
    }
  });

  it("shows how far it is in Nova's words", async () => {
    const id = await server();
    await script({
      [FROM]: [{ method: "exportDisks", delayMs: 1_500 }],
      [TO]: [{ method: "powerOn", delayMs: 1_500 }],
    });
    const seen: string[] = [];
    await act(cloud, id, operationOf("server.resize"), { input: asked() });
    await until(
      async () => {
        const { taskState } = await serverOf(cloud, id);
        if (taskState !== seen.at(-1)) seen.push(taskState);
        return taskState === "";
      },
      { timeoutMs: 60_000, what: "the end of it" },
    );
    // What is over at once may not be seen.
    const course = ["resize_prep", "resize_migrating", "resize_migrated", "resize_finish", ""];
    assert.deepEqual(
      seen,
      course.filter((word) => seen.includes(word)),
    );
    for (const word of ["resize_migrating", "resize_finish"]) assert.ok(seen.includes(word), word);
  });

  for (const [what, host, method] of [
    ["the guest cannot leave", FROM, "exportDisks"],
    ["a disk cannot be read", FROM, "openLeavingDisk"],
    ["the disks cannot be taken", TO, "importDisks"],
    ["the guest does not start there", TO, "powerOn"],
  ] as const)
    it(`comes to nothing when ${what}: all is as it was, the guest runs`, async () => {
      const id = await server();
      const before = await standing(id);
      await script({ [host]: [failing(method)] });
      const { fault } = await resize(id);
      await script({ [host]: [] });
      assert.ok(fault !== undefined);
      assert.deepEqual(await standing(id), { ...(before as object), kept: [[]] });
      assert.deepEqual([(await newest(id)).status, (await operation(id)).state], ["error", FAILED]);
      assert.equal((await resize(id)).vmState, RESIZED);
    });

  it("comes to nothing without a host, and asks nothing of the guest", async () => {
    const id = await server();
    const before = await standing(id);
    const flavor = { ...NEW, memoryMib: 1_000_000_000 };
    const { fault } = await does(id, "server.resize", asked({ flavor }));
    assert.equal(fault?.reason, "NO_VALID_HOST");
    assert.deepEqual(await standing(id), { ...(before as object), kept: [[]] });
  });

  it("that is cancelled while the guest shuts down has it come to its end, then starts it again", async () => {
    const id = await server();
    const before = await standing(id);
    await script({ [FROM]: [{ method: "exportDisks", delayMs: 4_000 }] });
    const { name } = await act(cloud, id, operationOf("server.resize"), { input: asked() });
    await until(async () => (await operation(id)).currentStep === "export-guest", {
      timeoutMs: 60_000,
      what: "the guest to be told",
    });
    await cloud.operations.requestCancel(testCtx(), { name });
    await ended(cloud, id);
    assert.equal((await operation(id)).state, CANCELLED);
    assert.deepEqual(await standing(id), { ...(before as object), kept: [[]] });
    const agent = cloud.channel("api", `agent:${FROM}`).client(AgentServiceDefinition);
    const { output } = await agent.getConsoleLog(testCtx(), { host: FROM, serverId: id });
    assert.equal([...output.toString().matchAll(/boot \d/g)].length, 2);
  });

  it("that is cancelled while the disks travel leaves the server as it was", async () => {
    const id = await server();
    const before = await standing(id);
    await script({ [TO]: [{ method: "importDisks", delayMs: 60_000 }] });
    const { name } = await act(cloud, id, operationOf("server.resize"), { input: asked() });
    await until(async () => (await operation(id)).currentStep === "import-guest", {
      timeoutMs: 60_000,
      what: "the disks to travel",
    });
    await cloud.operations.requestCancel(testCtx(), { name });
    await ended(cloud, id);
    assert.equal((await operation(id)).state, CANCELLED);
    assert.deepEqual(await standing(id), { ...(before as object), kept: [[]] });
  });

  it("is followed by what the Network service has told on the way", async () => {
    const id = await server();
    await script({ [TO]: [{ method: "importDisks", delayMs: 3_000 }] });
    const move = await act(cloud, id, operationOf("server.resize"), { input: asked() });
    await until(async () => (await operation(id)).currentStep === "import-guest", {
      timeoutMs: 60_000,
      what: "the disks to travel",
    });
    const port = [...neutron.ports.values()].find(({ deviceId }) => deviceId === id);
    const { id: group } = neutron.addSecurityGroup({ name: "late" });
    await neutron.updatePort(testCtx(), port?.id ?? "", { securityGroupIds: [group] });
    const { name } = await act(cloud, id, operationOf("server.refresh-interfaces"));
    assert.equal((await serverOf(cloud, id)).currentOperation, move.name);
    assert.equal((await ended(cloud, id)).vmState, RESIZED);
    const news = await operation(id);
    assert.deepEqual([news.name, news.state], [name, SUCCEEDED]);
    const { instance } = await cloud.instances.getInstance(testCtx(), { database: "cell1", serverId: id });
    assert.deepEqual(
      instance?.ports.map(({ securityGroupIds }) => securityGroupIds),
      [[group]],
    );
  });

  describe("with a volume", () => {
    const attached = (volumeId: string): (string | undefined)[][] =>
      [...cinder.attachments.values()]
        .filter((one) => one.volumeId === volumeId)
        .map(({ id, status }) => [status, cinder.connectors.get(id)?.["host"] as string | undefined]);
    const withVolume = async (): Promise<{ id: string; volumeId: string }> => {
      const id = await server();
      const { id: volumeId } = cinder.addVolume();
      await attach(id, volumeId);
      return { id, volumeId };
    };
    const attach = async (id: string, volumeId: string): Promise<void> => {
      const { input } = operationOf("server.attach-volume");
      await does(id, "server.attach-volume", input.encode(input.fromPartial({ volumeId })).finish());
      assert.equal((await operation(id)).state, SUCCEEDED);
    };

    it("has it follow, there and back", async () => {
      const { id, volumeId } = await withVolume();
      assert.equal((await resize(id)).vmState, RESIZED);
      assert.deepEqual(attached(volumeId), [["attached", TO]]);
      assert.deepEqual((await serverOf(cloud, id)).volumes.length, 1);
      assert.equal((await ends(id, "server.revert-resize")).vmState, ACTIVE);
      assert.deepEqual(attached(volumeId), [["attached", FROM]]);
    });

    it("is connected to its old host again when the move comes to nothing", async () => {
      const { id, volumeId } = await withVolume();
      await script({ [TO]: [failing("powerOn")] });
      await resize(id);
      assert.deepEqual(attached(volumeId), [["attached", FROM]]);
      assert.deepEqual((await guests(id))[0], RUNNING);
    });

    it("comes back with those that it has got meanwhile, and without those that it has lost", async () => {
      const { id, volumeId } = await withVolume();
      await resize(id);
      const { id: later } = cinder.addVolume();
      await attach(id, later);
      const { input } = operationOf("server.detach-volume");
      await does(id, "server.detach-volume", input.encode(input.fromPartial({ volumeId })).finish());
      assert.equal((await ends(id, "server.revert-resize")).vmState, ACTIVE);
      assert.deepEqual([attached(volumeId), attached(later)], [[], [["attached", FROM]]]);
    });
  });

  it("leaves nothing behind when the server is deleted before its owner has decided", async () => {
    const id = await server();
    await resize(id);
    const { id: migration } = await newest(id);
    assert.equal((await does(id, "server.delete")).vmState, DELETED);
    assert.deepEqual(
      [await guests(id), await held(id), await held(migration), bindings(id), await holding(id)],
      [[undefined, undefined], [], [], [], undefined],
    );
    const { status, deletedAt } = await newest(id);
    assert.deepEqual([status, deletedAt !== undefined], ["confirmed", true]);
  });

  it("is confirmed when the server is deleted but kept, and does not come back with it", async () => {
    const id = await server();
    await resize(id);
    const { id: migration } = await newest(id);
    assert.equal((await does(id, "server.soft-delete")).vmState, SOFT_DELETED);
    assert.deepEqual(
      [await guests(id), await held(migration), (await newest(id)).status],
      [[undefined, SHUTDOWN], [], "confirmed"],
    );
    assert.equal((await does(id, "server.restore")).vmState, ACTIVE);
    assert.deepEqual([await guests(id), (await held(id)).length], [[undefined, RUNNING], 1]);
  });

  it("leaves nothing behind when the server is deleted on its way, or reset and then deleted", async () => {
    const id = await server();
    await script({ [TO]: [{ method: "powerOn", delayMs: 60_000 }] });
    await act(cloud, id, operationOf("server.resize"), { input: asked() });
    await until(async () => (await operation(id)).currentStep === "start-guest", {
      timeoutMs: 60_000,
      what: "the guest to be started",
    });
    assert.equal((await does(id, "server.delete")).vmState, DELETED);
    await script({ [TO]: [] });
    const { id: migration, status } = await newest(id);
    assert.deepEqual(
      [await guests(id), await held(id), await held(migration), status],
      [[undefined, undefined], [], [], "error"],
    );
    const second = await server();
    await resize(second);
    const { id: kept } = await newest(second);
    await does(second, "server.reset-state", ResetStateInput.encode({ vmState: ACTIVE }).finish());
    await does(second, "server.delete");
    assert.deepEqual([await guests(second), await held(kept)], [[undefined, undefined], []]);
  });

  it("goes on with another move where an operator has reset its state on the way", async () => {
    const id = await server();
    await script({ [TO]: [{ method: "importDisks", delayMs: 60_000 }] });
    await act(cloud, id, operationOf("server.resize"), { input: asked() });
    await until(async () => (await operation(id)).currentStep === "import-guest", {
      timeoutMs: 60_000,
      what: "the disks to travel",
    });
    await does(id, "server.reset-state", ResetStateInput.encode({ vmState: ACTIVE }).finish());
    await script({ [TO]: [] });
    assert.deepEqual(await guests(id), [SHUTDOWN, undefined]);
    assert.equal((await does(id, "server.migrate", asked({}))).vmState, RESIZED);
    assert.deepEqual(await guests(id), [SHUTDOWN, RUNNING]);
  });

  it("goes on, too, back to the host where such a move has left its marked guest", async () => {
    const id = await server();
    await script({ [TO]: [{ method: "powerOn", delayMs: 60_000 }] });
    await act(cloud, id, operationOf("server.resize"), { input: asked() });
    await until(async () => (await operation(id)).currentStep === "start-guest", {
      timeoutMs: 60_000,
      what: "the guest to be started",
    });
    await does(id, "server.reset-state", ResetStateInput.encode({ vmState: ACTIVE }).finish());
    await script({ [TO]: [] });
    assert.equal((await serverOf(cloud, id)).hostInfo?.host, TO);
    assert.deepEqual(await guests(id), [SHUTDOWN, SHUTDOWN]);
    assert.equal((await does(id, "server.migrate", asked({}))).vmState, RESIZED);
    assert.deepEqual(await guests(id), [RUNNING, SHUTDOWN]);
    const kept = (await migrations(id)).map((one) => one.id);
    await does(id, "server.delete");
    assert.deepEqual(await Promise.all([id, ...kept].map(held)), [[], [], []]);
  });

  it("is confirmed by itself after a while", async () => {
    const deps = dueDeps(cloud);
    const [cell] = cloud.stores.filter(({ name }) => name === "cell1");
    const work = confirming(3_600);
    assert.ok(cell !== undefined && work !== undefined);
    assert.equal(confirming(0), undefined);
    const id = await server();
    await resize(id);
    await beginDue(cell, deps, work, testCtx());
    assert.equal((await serverOf(cloud, id)).vmState, RESIZED);
    const { rows } = await cell.db.statement(testCtx(), "test.aged", (db) =>
      sql`UPDATE ${cell.t.instance} SET resized_at = resized_at - interval '2 hours', updated_at = updated_at - interval '2 hours' WHERE id = ${id}`.execute(
        db,
      ),
    );
    assert.deepEqual(rows, []);
    assert.equal((await beginDue(cell, deps, work, testCtx())).begun, 1);
    await until(async () => (await serverOf(cloud, id)).vmState === ACTIVE, {
      timeoutMs: 60_000,
      what: "the confirmation",
    });
    assert.equal((await newest(id)).status, "confirmed");
  });

  it("is not ended by what names another migration, and shuts everything else out meanwhile", async () => {
    const id = await server();
    await resize(id);
    for (const kind of ["server.confirm-resize", "server.revert-resize"])
      await assert.rejects(
        act(cloud, id, operationOf(kind), {
          input: EndMoveInput.encode({ migrationId: randomUUID() }).finish(),
        }),
        { reason: "MIGRATION_NOT_FOUND" },
      );
    for (const kind of ["stop", "start", "pause", "suspend", "rescue", "shelve", "migrate"])
      await assert.rejects(act(cloud, id, operationOf(`server.${kind}`)), { reason: "INVALID_STATE" }, kind);
  });

  it("takes of the quota what the larger flavor needs, or is refused", async () => {
    const id = await server();
    const flavor = { ...NEW, vcpus: MOST_CORES };
    await assert.rejects(act(cloud, id, operationOf("server.resize"), { input: asked({ flavor }) }), {
      reason: "QUOTA_EXCEEDED",
    });
    assert.deepEqual([(await serverOf(cloud, id)).vmState, await migrations(id)], [ACTIVE, []]);
  });
});
