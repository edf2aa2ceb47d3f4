import { RebootInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { sql } from "../../pkg/cells/store/sql.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { Neutron } from "../../pkg/clients/neutron/ports.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { letRest } from "../../pkg/cells/operations/store/settle.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { VICTIM_AT_REST } from "../../pkg/model/signals.js";
import { operationOf } from "../crash/requests.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, bootRequest, databaseOf, ended, serverOf } from "../crash/requests.js";

const {
  VM_STATE_ACTIVE: ACTIVE,
  VM_STATE_STOPPED: STOPPED,
  VM_STATE_ERROR: ERROR,
  VM_STATE_DELETED: DELETED,
} = VmState;
const HOSTS = ["a", "b", "c"];

describe("a server's life", () => {
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  const networks = [{ networkId: network.id }];
  /** When set, ports are made only after it has resolved. */
  let late: (() => Promise<void>) | undefined;
  let onPort = (): void => {};
  const slowNeutron: Neutron = {
    ...neutron,
    createPort: async (ctx, port) => {
      await late?.();
      const made = await neutron.createPort(ctx, port);
      onPort();
      return made;
    },
  };
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`life_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("life"),
      hosts: HOSTS,
      neutron: slowNeutron,
    });
  });
  after(() => cloud.close());
  afterEach(() => script([]));

  const script = async (
    rules: { method: string; failReason?: string; failMessage?: string; delayMs?: number; times?: number }[],
    hosts: readonly string[] = HOSTS,
  ): Promise<void> => {
    for (const host of hosts)
      await cloud.agent(host, "operator").scriptFakeDriver(testCtx(), { host, rules });
  };
  const portsOf = (id: string) => [...neutron.ports.values()].filter(({ deviceId }) => deviceId === id);
  const held = async (id: string) =>
    (await cloud.placement.getAllocations(testCtx(), { consumerId: id })).consumers.flatMap(
      ({ allocations }) => allocations,
    );
  const guestOn = async (host: string, id: string) =>
    (await cloud.agent(host, "conductor").inspectGuest(testCtx(), { host, serverId: id })).defined;
  const guests = async (id: string) =>
    (await Promise.all(HOSTS.map((host) => guestOn(host, id)))).filter(Boolean).length;

  it("is built, stopped, started, restarted and deleted", async () => {
    const id = randomUUID();
    await boot(cloud, { ids: [id], networks });
    const active = await ended(cloud, id);
    assert.deepEqual(
      [active.vmState, active.powerState, active.taskState],
      [ACTIVE, PowerState.POWER_STATE_RUNNING, ""],
    );
    assert.equal(active.addresses[0]?.networkLabel, "private");
    assert.ok(active.launchedAt !== undefined && active.hostId.length === 56);
    assert.equal(await guestOn(active.hostInfo?.host ?? "", id), true);
    await act(cloud, id, operationOf("server.stop"));
    assert.deepEqual(
      [(await ended(cloud, id)).vmState, (await serverOf(cloud, id)).powerState],
      [STOPPED, PowerState.POWER_STATE_SHUTDOWN],
    );
    await act(cloud, id, operationOf("server.start"));
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    await act(cloud, id, operationOf("server.reboot"), {
      input: RebootInput.encode({ hard: true }).finish(),
    });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    await act(cloud, id, operationOf("server.delete"));
    assert.equal((await ended(cloud, id)).vmState, DELETED);
    assert.deepEqual([portsOf(id).length, (await held(id)).length, await guests(id)], [0, 0, 0]);
    const { mappings } = await cloud.global.getInstanceMappings(testCtx(), { serverIds: [id] });
    assert.equal(mappings[0]?.deleted, true);
    const { actions } = await cloud.instances.listActions(testCtx(), {
      database: "cell1",
      query: { serverId: id },
    });
    assert.deepEqual(
      actions.map(({ action }) => action),
      ["delete", "reboot", "start", "stop", "create"],
    );
    const { action } = await cloud.instances.getAction(testCtx(), {
      database: "cell1",
      serverId: id,
      requestId: actions[4]?.requestId ?? "",
    });
    assert.deepEqual(action?.events.map(({ event, result }) => [event, result]).at(-1), [
      "compute__do_build_and_run_instance",
      "Success",
    ]);
  });

  it("keeps no secret once its boot has ended", async () => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    await ended(cloud, id);
    for (const store of cloud.stores) {
      const { rows } = await store.db.statement(testCtx(), "test", (db) =>
        sql<{
          count: number;
        }>`SELECT count(*) AS count FROM ${store.t.operation} WHERE server_id = ${id} AND secrets IS NOT NULL`.execute(
          db,
        ),
      );
      assert.equal(rows[0]?.count, 0);
    }
    const { instance } = await cloud.instances.getInstance(testCtx(), {
      database: "cell1",
      serverId: id,
      withUserData: true,
    });
    assert.equal(instance?.server?.userData, "IyEvYmluL3No");
  });

  it("goes to the next alternate when a host fails, and leaves nothing behind", async () => {
    const id = randomUUID();
    await script([{ method: "powerOn", failReason: "HYPERVISOR_FAILED", failMessage: "broken", times: 1 }]);
    await boot(cloud, { ids: [id], networks });
    const first = await until(
      async () => {
        const server = await serverOf(cloud, id);
        return server.vmState !== VmState.VM_STATE_BUILDING && server;
      },
      { timeoutMs: 60_000 },
    );
    // Each host fails once: two alternates are tried, and the third attempt fails too.
    assert.equal(first.vmState, ERROR);
    assert.equal(first.fault?.reason, "MAX_RETRIES_EXCEEDED");
    assert.deepEqual(
      [portsOf(id).length, (await held(id)).length, await guests(id), first.hostInfo?.host],
      [0, 0, 0, undefined],
    );
    const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: id });
    assert.equal(operations[0]?.steps.filter(({ name }) => name === "build-guest").length, 3);
    await act(cloud, id, operationOf("server.delete"));
    assert.equal((await ended(cloud, id)).vmState, DELETED);
  });

  it("ends ACTIVE on an alternate when only the first host is broken", async () => {
    const id = randomUUID();
    await script([{ method: "powerOn", failReason: "HYPERVISOR_FAILED", failMessage: "broken" }], ["a", "b"]);
    await boot(cloud, { ids: [id], networks });
    const server = await ended(cloud, id);
    assert.deepEqual([server.vmState, server.hostInfo?.host, server.fault], [ACTIVE, "c", undefined]);
    assert.deepEqual([portsOf(id).length, await guests(id)], [1, 1]);
    assert.equal(portsOf(id)[0]?.bindingHostId, "c");
  });

  it("is buried in cell0 with the reason when no host fits", async () => {
    const id = randomUUID();
    await boot(cloud, { ids: [id], flavor: { vcpus: 100_000 } });
    const server = await ended(cloud, id);
    assert.deepEqual(
      [server.vmState, server.fault?.reason, await databaseOf(cloud, id)],
      [ERROR, "NO_VALID_HOST", "cell0"],
    );
    assert.match(server.fault?.message ?? "", /^No valid host was found/);
    await act(cloud, id, operationOf("server.delete"));
    assert.equal((await ended(cloud, id)).vmState, DELETED);
  });

  it("is built with all the servers that were asked for with it, or with none of them", async () => {
    // Each host has room for one of these.
    const large = { memoryMib: 200_000 };
    const tooMany = HOSTS.concat("one more").map(() => randomUUID());
    await boot(cloud, { ids: tooMany, flavor: large, batch: "r-too-many" });
    const refused = await Promise.all(tooMany.map((id) => ended(cloud, id)));
    for (const [at, id] of tooMany.entries()) {
      const { vmState, fault, hostInfo } = refused[at] ?? assert.fail(id);
      assert.deepEqual([vmState, fault?.reason, hostInfo?.launchedOn], [ERROR, "NO_VALID_HOST", undefined]);
      assert.match(
        fault?.message ?? "",
        /^No valid host was found\. There are not enough hosts available\. /,
      );
      assert.equal(await databaseOf(cloud, id), "cell0");
      assert.deepEqual([(await held(id)).length, await guests(id)], [0, 0]);
    }
    const enough = HOSTS.map(() => randomUUID());
    await boot(cloud, { ids: enough, flavor: large, batch: "r-enough" });
    const built = await Promise.all(enough.map((id) => ended(cloud, id)));
    assert.deepEqual(built.map(({ vmState, hostInfo }) => [vmState, hostInfo?.host]).sort(), [
      [ACTIVE, "a"],
      [ACTIVE, "b"],
      [ACTIVE, "c"],
    ]);
    for (const id of enough) {
      await act(cloud, id, operationOf("server.delete"));
      assert.equal((await ended(cloud, id)).vmState, DELETED);
    }
  });

  it("is deleted in the middle of its boot, by a deletion that takes over", async () => {
    const id = randomUUID();
    await script([{ method: "powerOn", delayMs: 60_000 }]);
    await boot(cloud, { ids: [id], networks });
    await until(async () => (await serverOf(cloud, id)).taskState === "spawning", { what: "spawning" });
    const operation = await act(cloud, id, operationOf("server.delete"));
    assert.equal((await act(cloud, id, operationOf("server.delete"))).name, operation.name);
    await script([]);
    assert.equal((await ended(cloud, id)).vmState, DELETED);
    const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: id });
    assert.deepEqual(
      operations.map(({ kind, state }) => [kind, state]),
      [
        ["server.delete", OperationState.OPERATION_STATE_SUCCEEDED],
        ["server.boot", OperationState.OPERATION_STATE_PREEMPTED],
      ],
    );
    await until(async () => (await guests(id)) === 0);
    assert.deepEqual([portsOf(id).length, (await held(id)).length], [0, 0]);
  });

  it("leaves no port when the network makes one while the deletion is already under way", async () => {
    const id = randomUUID();
    const answers: (() => void)[] = [];
    late = () => new Promise<void>((resolve) => answers.push(resolve));
    await boot(cloud, { ids: [id], networks });
    await until(async () => answers.length > 0, { what: "the port to be asked for" });
    const { name } = await act(cloud, id, operationOf("server.delete"));
    await until(
      async () =>
        (await cloud.operations.getStoredOperation(testCtx(), { name })).operation?.waitingFor ===
        VICTIM_AT_REST,
      { what: "the deletion to wait" },
    );
    late = undefined;
    for (const answer of answers) answer();
    assert.equal((await ended(cloud, id)).vmState, DELETED);
    assert.deepEqual([portsOf(id).length, (await held(id)).length], [0, 0]);
  });

  it("takes back what it made for a boot after it was counted as dead", async () => {
    const id = randomUUID();
    const answers: (() => void)[] = [];
    late = () => new Promise<void>((resolve) => answers.push(resolve));
    await boot(cloud, { ids: [id], networks });
    await until(async () => answers.length > 0, { what: "the port to be asked for" });
    const { name } = await act(cloud, id, operationOf("server.delete"));
    const cell = cloud.stores.find((store) => store.name === "cell1") ?? assert.fail("no cell");
    await until(
      async () => {
        await cell.db.statement(testCtx(), "test", (db) =>
          sql`UPDATE ${cell.t.operation} SET ready_at = '2020-01-01' WHERE server_id = ${id} AND state = 'preempted' AND owner <> ''`.execute(
            db,
          ),
        );
        return (
          (await cloud.operations.getStoredOperation(testCtx(), { name })).operation?.state ===
          OperationState.OPERATION_STATE_SUCCEEDED
        );
      },
      { timeoutMs: 60_000, what: "the deletion to give the owner up" },
    );
    assert.equal(portsOf(id).length, 0);
    late = undefined;
    let made = 0;
    onPort = () => {
      made++;
    };
    for (const answer of answers) answer();
    await until(async () => made === 1 && portsOf(id).length === 0, { what: "the port to go" });
    onPort = () => {};
  });

  const store = () => cloud.channel("conductor", "cells").client(OperationStoreServiceDefinition);
  const atRest = async (name: string): Promise<boolean> =>
    (await store().settleOperation(testCtx(), { database: "cell1", name })).atRest;

  /** A server that is being stopped by a conductor from which nothing will be heard. */
  async function stoppedInSilence(id: string, ownershipS: bigint) {
    await script([{ method: "powerOff", delayMs: 60_000 }]);
    await boot(cloud, { ids: [id] });
    await ended(cloud, id);
    const { name } = await act(cloud, id, operationOf("server.stop"));
    const { owner } =
      (await until(async () => {
        const { operation } = await cloud.operations.getStoredOperation(testCtx(), { name });
        return operation?.owner !== "" && operation;
      })) ?? {};
    const taking = {
      database: "cell1",
      owner: "silent",
      kinds: [{ kind: "server.stop", version: 1 }],
      limit: 1,
      names: [name],
      ownership: { seconds: ownershipS },
    };
    const taken = await until(
      async () =>
        (await store().acquireOperations(testCtx(), taking)).operations[0] ??
        (await store().releaseOperations(testCtx(), { database: "cell1", owner: owner ?? "" }), undefined),
      { what: "the take-over" },
    );
    return { name, fence: taken.fence };
  }

  it("lets what it pre-empted rest when its owner has died and nobody asks", async () => {
    const id = randomUUID();
    const { name } = await stoppedInSilence(id, 600n);
    await act(cloud, id, operationOf("server.delete"));
    const cell = cloud.stores.find((one) => one.name === "cell1") ?? assert.fail("no cell");
    const now = systemClock.now();
    assert.equal(await letRest(cell, testCtx(), now), 0);
    assert.equal(await atRest(name), false);
    assert.equal(await letRest(cell, testCtx(), now + 700_000_000n), 1);
    assert.equal(await atRest(name), true);
    await script([]);
    assert.equal((await ended(cloud, id)).vmState, DELETED);
  });

  it("counts an owner that no longer renews as one at rest", async () => {
    const id = randomUUID();
    const { name, fence } = await stoppedInSilence(id, 600n);
    assert.equal(await atRest(name), false);
    await act(cloud, id, operationOf("server.delete"));
    await store().leaveOperation(testCtx(), { database: "cell1", name, fence: fence - 1n });
    await assert.rejects(
      store().confirmOwnership(testCtx(), {
        database: "cell1",
        name,
        fence: fence - 1n,
        ownership: { seconds: 1n },
      }),
      { reason: "FENCE_LOST" },
    );
    assert.equal(await atRest(name), false);
    await store().confirmOwnership(testCtx(), {
      database: "cell1",
      name,
      fence,
      ownership: { seconds: 1n },
    });
    await until(() => atRest(name), { what: "the ownership's end" });
    await assert.rejects(
      store().confirmOwnership(testCtx(), {
        database: "cell1",
        name,
        fence,
        ownership: { seconds: 1n },
      }),
      { reason: "FENCE_LOST" },
    );
    await script([]);
    assert.equal((await ended(cloud, id)).vmState, DELETED);
  });

  it("tells a failure of the guest without losing its state", async () => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    await ended(cloud, id);
    await script([{ method: "powerOff", failReason: "HYPERVISOR_FAILED", failMessage: "no" }]);
    const { name } = await act(cloud, id, operationOf("server.stop"));
    const server = await ended(cloud, id);
    assert.deepEqual(
      [server.vmState, server.taskState, server.fault?.reason],
      [ACTIVE, "", "HYPERVISOR_FAILED"],
    );
    assert.equal(
      (await cloud.operations.getStoredOperation(testCtx(), { name })).operation?.state,
      OperationState.OPERATION_STATE_FAILED,
    );
  });

  it("refuses what its state does not allow, in Nova's terms", async () => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    await ended(cloud, id);
    await assert.rejects(act(cloud, id, operationOf("server.start")), {
      reason: "INVALID_STATE",
      facts: { server: id, method: "start", attr: "vm_state", state: "active" },
    });
  });

  it("answers a repeated creation with the same servers, and refuses another body under the same token", async () => {
    const ids = [randomUUID(), randomUUID()];
    const first = await boot(cloud, { ids, clientToken: "t1" });
    await Promise.all(ids.map((id) => ended(cloud, id)));
    const again = await boot(cloud, { ids: [randomUUID(), randomUUID()], clientToken: "t1" });
    assert.equal(again.replayed, true);
    assert.deepEqual(
      again.operations.map(({ name }) => name),
      first.operations.map(({ name }) => name),
    );
    assert.deepEqual(
      again.servers.map(({ id, vmState }) => [id, vmState]),
      ids.map((id) => [id, ACTIVE]),
    );
    await assert.rejects(
      cloud.global.acceptServers(testCtx(), bootRequest({ ids, clientToken: "t1", name: "other" })),
      { reason: "TOKEN_REUSED" },
    );
  });

  it("stops by itself when its guest powers off, unless something else owns it", async () => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    const { hostInfo } = await ended(cloud, id);
    const hosts = cloud.agent(hostInfo?.host ?? "", "conductor");
    assert.equal(
      (await hosts.inspectGuest(testCtx(), { host: hostInfo?.host ?? "", serverId: id })).powerState,
      PowerState.POWER_STATE_RUNNING,
    );
    await cloud.reportGuest(hostInfo?.host ?? "", id, PowerState.POWER_STATE_SHUTDOWN);
    const server = await serverOf(cloud, id);
    assert.deepEqual([server.vmState, server.powerState], [STOPPED, PowerState.POWER_STATE_SHUTDOWN]);
    const {
      actions: [stop],
    } = await cloud.instances.listActions(testCtx(), { database: "cell1", query: { serverId: id } });
    assert.deepEqual([stop?.action, stop?.userId, stop?.message], ["stop", "", undefined]);
    const { action } = await cloud.instances.getAction(testCtx(), {
      database: "cell1",
      serverId: id,
      requestId: stop?.requestId ?? "",
    });
    assert.deepEqual(
      action?.events.map(({ event, result }) => [event, result]),
      [["compute_stop_instance", "Success"]],
    );
  });

  it("is built many times at once", async () => {
    const ids = Array.from({ length: 20 }, () => randomUUID());
    await boot(cloud, { ids, networks });
    const servers = await Promise.all(ids.map((id) => ended(cloud, id)));
    assert.deepEqual(new Set(servers.map(({ vmState }) => vmState)), new Set([ACTIVE]));
    assert.equal(new Set(servers.map(({ hostInfo }) => hostInfo?.instanceName)).size, ids.length);
  });
});

describe("work that outlasts its call", () => {
  it("parks the operation until the agent reports, and no longer", async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`park_${process.pid}`);
    await migrateCloud(connection, schemas);
    const cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("park"),
      hosts: ["p"],
      neutron: fakeNeutron(),
      conductor: { agentWaitMs: 5 },
    });
    await cloud
      .agent("p", "operator")
      .scriptFakeDriver(testCtx(), { host: "p", rules: [{ method: "powerOn", delayMs: 3_000 }] });
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    await until(
      async () =>
        (await cloud.operations.listStoredOperations(testCtx(), { serverId: id })).operations[0]
          ?.waitingFor === "agent-report",
      { what: "parking" },
    );
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: id });
    const build = operations[0]?.steps.find(({ name }) => name === "build-guest");
    // Asking again by timer would take twenty seconds.
    assert.ok(Number((build?.finishedAt?.seconds ?? 99n) - (build?.startedAt?.seconds ?? 0n)) < 15);
    await cloud.close();
  });
});
