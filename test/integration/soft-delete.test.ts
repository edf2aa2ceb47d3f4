import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ResetStateInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import type { Operation } from "../../gen/kilonova/type/v1/operation.js";
import { InitiatorKind } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { beginDue, beginOne, dueTask, reclaiming } from "../../pkg/cells/operations/due.js";
import type { DueDeps } from "../../pkg/cells/operations/due.js";
import { dueServers } from "../../pkg/cells/servers/store/due-servers.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { presentOperation } from "../../pkg/model/operation-view.js";
import { toTimestamp } from "../../pkg/model/wire-time.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { fakeClock } from "../../pkg/testkit/clock.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";
import { dueDeps } from "./support/due-deps.js";

const {
  VM_STATE_ACTIVE: ACTIVE,
  VM_STATE_ERROR: ERROR,
  VM_STATE_DELETED: DELETED,
  VM_STATE_SOFT_DELETED: SOFT_DELETED,
} = VmState;
const { POWER_STATE_RUNNING: RUNNING, POWER_STATE_SHUTDOWN: SHUTDOWN } = PowerState;
const HOST = "a";
const INTERVAL_S = 3_600;
const CELL = "cell1";
const WORK = reclaiming(INTERVAL_S) ?? assert.fail("it never reclaims");

describe("deletions that can be taken back", () => {
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  const networks = [{ networkId: network.id }];
  let cloud: Cloud;
  let cell: Store;
  let deps: DueDeps;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`soft_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("soft"),
      hosts: [HOST],
      neutron,
      cells: { reclaimInstanceIntervalS: INTERVAL_S },
    });
    const [global, ...cells] = cloud.stores;
    assert.ok(global !== undefined && cells[1] !== undefined);
    cell = cells[1];
    deps = dueDeps(cloud, INTERVAL_S);
  });
  after(() => cloud.close());

  /** Makes it so long ago that a server was deleted. */
  const age = async (id: string, seconds: number): Promise<void> => {
    const since = systemClock.now() - BigInt(seconds) * 1_000_000n;
    await cell.db.statement(testCtx(), "test.age", (db) =>
      sql`UPDATE ${cell.t.instance} SET soft_deleted_at = ${since} WHERE id = ${id}`.execute(db),
    );
  };
  const booted = async (): Promise<string> => {
    const id = randomUUID();
    await boot(cloud, { ids: [id], networks });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    return id;
  };
  const remove = async (id: string): Promise<Operation> => {
    const { operation } = await cloud.instances.acceptOperation(testCtx(), {
      database: CELL,
      serverId: id,
      actor: { kind: "user", userId: "user", projectId: "project" },
      kind: "server.delete",
      kindVersion: 1,
      method: "DeleteServer",
      deferrable: true,
    });
    return operation ?? assert.fail("no operation");
  };
  const removed = async (): Promise<string> => {
    const id = await booted();
    await remove(id);
    assert.equal((await ended(cloud, id)).vmState, SOFT_DELETED);
    return id;
  };
  const guest = async (id: string) => {
    const asked = { host: HOST, serverId: id };
    const { defined, powerState } = await cloud.agent(HOST, "conductor").inspectGuest(testCtx(), asked);
    return { defined, powerState };
  };
  const portsOf = (id: string) =>
    [...neutron.ports.values()].filter(({ deviceId }) => deviceId === id).length;
  const claimed = async (id: string): Promise<number> =>
    (await cloud.placement.getAllocations(testCtx(), { consumerId: id })).consumers.length;
  const holds = async (id: string): Promise<boolean> => {
    const [global] = cloud.stores;
    assert.ok(global);
    const { rows } = await global.db.statement(testCtx(), "test.holding", (db) =>
      sql`SELECT 1 FROM ${global.t.quota_holding} WHERE server_id = ${id}`.execute(db),
    );
    return rows.length > 0;
  };
  const deletionsOf = async (id: string): Promise<string[]> =>
    (
      await cloud.operations.listStoredOperations(testCtx(), { database: CELL, serverId: id })
    ).operations.flatMap(({ kind, actor }) => (kind === "server.delete" ? [actor?.service ?? ""] : []));

  it("power the guest off and keep disk, ports and allocation, but no quota", async () => {
    const id = await booted();
    assert.ok(await holds(id));
    const operation = await remove(id);
    assert.deepEqual([operation.kind, operation.action], ["server.soft-delete", "delete"]);
    const { vmState, taskState, powerState, deletedAt, hostInfo } = await ended(cloud, id);
    assert.deepEqual(
      [vmState, taskState, powerState, deletedAt, hostInfo?.host],
      [SOFT_DELETED, "", SHUTDOWN, undefined, HOST],
    );
    assert.deepEqual(await guest(id), { defined: true, powerState: SHUTDOWN });
    assert.deepEqual([portsOf(id), await claimed(id)], [1, 1]);
    // In another database, settled right after the end.
    await until(async () => !(await holds(id)), { timeoutMs: 30_000, what: "the quota to be given back" });
  });

  it("are taken back by a restore: the guest runs, and the server counts again", async () => {
    const id = await removed();
    await act(cloud, id, operationOf("server.restore"));
    const { vmState, taskState, powerState, softDeletedAt } = await ended(cloud, id);
    assert.deepEqual([vmState, taskState, powerState, softDeletedAt], [ACTIVE, "", RUNNING, undefined]);
    assert.deepEqual(await guest(id), { defined: true, powerState: RUNNING });
    assert.deepEqual([portsOf(id), await claimed(id)], [1, 1]);
    // In another database, settled right after the end.
    await until(() => holds(id), { timeoutMs: 30_000, what: "the quota to be held" });
  });

  it("leave the server as it was, with a fault, when its guest cannot be powered off", async () => {
    const id = await booted();
    const rules = [{ method: "powerOff", failReason: "HYPERVISOR_FAILED", failMessage: "As asked." }];
    await cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
    try {
      await remove(id);
      const { vmState, taskState, fault } = await ended(cloud, id);
      assert.deepEqual([vmState, taskState, fault?.reason], [ACTIVE, "", "HYPERVISOR_FAILED"]);
      assert.ok(await holds(id));
    } finally {
      await cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules: [] });
    }
  });

  it("end at once with a deletion for good, which leaves nothing", async () => {
    const id = await removed();
    await act(cloud, id, operationOf("server.delete"));
    assert.equal((await ended(cloud, id)).vmState, DELETED);
    assert.deepEqual([portsOf(id), await claimed(id), (await guest(id)).defined], [0, 0, false]);
  });

  describe("when their time is over", () => {
    it("become deletions for good, by the cloud itself, and not before", async () => {
      const id = await removed();
      await age(id, INTERVAL_S - 60);
      await beginDue(cell, deps, WORK, testCtx());
      assert.deepEqual(await deletionsOf(id), []);
      await age(id, INTERVAL_S + 1);
      await beginDue(cell, deps, WORK, testCtx());
      assert.equal((await ended(cloud, id)).vmState, DELETED);
      assert.deepEqual(await deletionsOf(id), ["cells"]);
      assert.deepEqual([portsOf(id), await claimed(id), (await guest(id)).defined], [0, 0, false]);
      const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: id });
      const [deletion] = operations;
      assert.equal(
        deletion && presentOperation(deletion).initiator?.kind,
        InitiatorKind.INITIATOR_KIND_SYSTEM,
      );
    });

    it("once, however many processes look at the same time", async () => {
      const ids = [await removed(), await removed(), await removed()];
      for (const id of ids) await age(id, INTERVAL_S + 1);
      const turns = await Promise.all([1, 2, 3].map(() => beginDue(cell, deps, WORK, testCtx())));
      assert.equal(
        turns.reduce((sum, { begun }) => sum + begun, 0),
        ids.length,
      );
      for (const id of ids) {
        assert.equal((await ended(cloud, id)).vmState, DELETED);
        assert.deepEqual(await deletionsOf(id), ["cells"]);
      }
    });

    it("not for a server that was restored between the look and the deletion", async () => {
      const id = await removed();
      const now = systemClock.now();
      const due = { state: SOFT_DELETED, before: now, quietSince: now, after: undefined, limit: 50 } as const;
      const found = (await dueServers(cell, testCtx(), due)).find((one) => one.id === id);
      assert.ok(found);
      await act(cloud, id, operationOf("server.restore"));
      assert.equal(await beginOne(cell, deps, WORK, testCtx(), found), false);
      assert.equal((await ended(cloud, id)).vmState, ACTIVE);
      assert.equal(await beginOne(cell, deps, WORK, testCtx(), found), false);
      assert.deepEqual(await deletionsOf(id), []);
    });

    it("also for a server whose owner has locked it", async () => {
      const id = await removed();
      await act(cloud, id, operationOf("server.lock"));
      await age(id, INTERVAL_S + 1);
      await beginDue(cell, deps, WORK, testCtx());
      assert.equal((await ended(cloud, id)).vmState, DELETED);
    });

    it("by a clock, a page at a time, the oldest first, whoever cannot be deleted now", async () => {
      const project = randomUUID();
      const clock = fakeClock(4_000_000_000_000_000n);
      const since = (seconds: number): bigint => clock.now() - BigInt(seconds) * 1_000_000n;
      const put = async (seconds: number, more: object = {}): Promise<string> => {
        const id = randomUUID();
        const softDeletedAt = toTimestamp(since(seconds));
        const state = { vmState: SOFT_DELETED, softDeletedAt, projectId: project, ...more };
        await putInstance(cell, testCtx(), aServer({ id, ...state }));
        return id;
      };
      const still = { ...deps, clock };
      // What other tests have left is due by this clock, too.
      await beginDue(cell, still, WORK, testCtx());
      const ids = [];
      for (const seconds of [9_003, 9_002, 9_001]) ids.push(await put(seconds));
      const young = await put(INTERVAL_S - 1);
      const busy = await put(9_004, { currentOperation: "operations/somebody/else" });
      const begunFor = async (all: readonly string[]): Promise<number> =>
        (await Promise.all(all.map(deletionsOf))).flat().length;
      const { begun, after } = await beginDue(cell, still, WORK, testCtx(), undefined, { page: 1, pages: 2 });
      assert.deepEqual([begun, after?.id, await begunFor(ids.slice(0, 2))], [2, ids[1], 2]);
      const next = await beginDue(cell, still, WORK, testCtx(), after, { page: 1, pages: 2 });
      assert.deepEqual([next.begun, next.after, await begunFor(ids)], [1, undefined, 3]);
      assert.equal(await begunFor([young, busy]), 0);

      const stop = new AbortController();
      const running = dueTask(cell, still, WORK)(testCtx({ signal: stop.signal }));
      await until(() => clock.sleeping === 1);
      await clock.advance(60_000);
      await until(async () => (await begunFor([young])) === 1, { timeoutMs: 60_000 });
      stop.abort();
      await running.catch(() => undefined);
      assert.equal(await begunFor([busy]), 0);
    });

    it("and never where deleted servers are not kept", async () => {
      const id = await removed();
      await age(id, 10 * INTERVAL_S);
      assert.equal(reclaiming(0), undefined);
      const clock = fakeClock(4_000_000_000_000_000n);
      const stop = new AbortController();
      const never = dueTask(cell, { ...deps, clock }, undefined)(testCtx({ signal: stop.signal }));
      assert.equal(clock.sleeping, 0);
      stop.abort();
      await never;
      assert.equal((await serverOf(cloud, id)).vmState, SOFT_DELETED);
      await age(id, 0);
    });
  });

  describe("and resets of the state", () => {
    const reset = (id: string, vmState: VmState): Promise<Operation> =>
      act(cloud, id, operationOf("server.reset-state"), {
        input: ResetStateInput.encode({ vmState }).finish(),
      });
    const script = (rules: { method: string; delayMs?: number }[]) =>
      cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });

    it("end an operation that hangs on its host, and what it still does changes nothing", async () => {
      const id = await booted();
      await script([{ method: "reboot", delayMs: 3_000 }]);
      try {
        const stuck = await act(cloud, id, operationOf("server.reboot"));
        await until(async () => (await serverOf(cloud, id)).taskState !== "", { timeoutMs: 60_000 });
        await reset(id, ERROR);
        const { vmState, taskState } = await serverOf(cloud, id);
        assert.deepEqual([vmState, taskState], [ERROR, ""]);
        await script([]);
        await act(cloud, id, operationOf("server.stop"));
        assert.equal((await ended(cloud, id)).powerState, SHUTDOWN);
        // Longer than what was ended had wanted to take.
        const seen = new Set<string>();
        const over = Date.now() + 3_500;
        await until(async () => {
          seen.add(String((await guest(id)).powerState));
          return Date.now() > over;
        });
        assert.deepEqual([...seen], [String(SHUTDOWN)]);
        const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: id });
        const states = operations.map(({ kind, successor }) => [kind, successor !== ""]);
        assert.deepEqual(states.slice(0, 3), [
          ["server.stop", false],
          ["server.reset-state", false],
          ["server.reboot", true],
        ]);
        assert.equal(operations[2]?.name, stuck.name);
      } finally {
        await script([]);
      }
    });

    it("leave a boot's guest and ports to the deletion that follows", async () => {
      const id = randomUUID();
      await script([{ method: "define", delayMs: 4_000 }]);
      try {
        await boot(cloud, { ids: [id], networks });
        await until(async () => (await serverOf(cloud, id)).taskState === "spawning", { timeoutMs: 60_000 });
        await reset(id, ERROR);
        assert.equal((await serverOf(cloud, id)).vmState, ERROR);
        await act(cloud, id, operationOf("server.delete"));
        assert.equal((await ended(cloud, id)).vmState, DELETED);
        assert.deepEqual([portsOf(id), await claimed(id), (await guest(id)).defined], [0, 0, false]);
      } finally {
        await script([]);
      }
    });

    it("bring a server back whose deletion was not for good: it counts, and is not reclaimed", async () => {
      const id = await removed();
      await age(id, INTERVAL_S + 1);
      await reset(id, ACTIVE);
      await until(() => holds(id), { timeoutMs: 30_000, what: "the quota to be held" });
      await beginDue(cell, deps, WORK, testCtx());
      assert.equal((await serverOf(cloud, id)).vmState, ACTIVE);
      assert.deepEqual(await deletionsOf(id), []);
    });
  });
});
